import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system/zookeeper.service.d";

const trap: Trap = {
  title:
    "a drop-in lets it start only where its disk is mounted, and it has no mount of its own: the next boot skips it",
  steps: "zookeeper",
  plant: sh(
    `mkdir -p ${directory} && printf '[Unit]\\nConditionPathIsMountPoint=/var/lib/zookeeper\\n' >${directory}/disk.conf && systemctl daemon-reload`,
  ),
  told: [
    {
      setting: "next start of zookeeper.service",
      verdict: "blocked",
      because: /disk\.conf:2 ConditionPathIsMountPoint=.* does not hold/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /disk\.conf:2 ConditionPathIsMountPoint=/ },
  clear: sh(`rm -r ${directory} && systemctl daemon-reload`),
};
export default trap;
