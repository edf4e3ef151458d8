import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/java-\d+-openjdk\/jvm-\w+\.cfg is not what openjdk-\d+-jre-headless brought, and zookeeper\.service has not been started with it yet/;
const FILE = "file=$(readlink -f /usr/lib/jvm/java-*-openjdk-*/lib/jvm.cfg | head -1)";

const trap: Trap = {
  title: "Java's own jvm.cfg names no JVM any more, and what runs has read it long ago",
  steps: "zookeeper",
  // bullseye's Java 11 and all later ones have it there.
  plant: sh(`${FILE}; cp -p "$file" /root/jvm.cfg.trap; echo '-trap KNOWN' >"$file"`),
  told: [{ setting: "readable by zookeeper", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`${FILE}; cp -p /root/jvm.cfg.trap "$file"; rm /root/jvm.cfg.trap`),
};
export default trap;
