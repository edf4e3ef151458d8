import { sh, type Trap } from "../trap.ts";

const because = /\/usr\/share\/java\/zookeeper[\d.-]*\.jar is empty, and not what libzookeeper-java brought/;

const trap: Trap = {
  title: "zookeeper.jar was emptied by an update that broke off, and a restart finds no server in it",
  steps: "zookeeper",
  plant: sh(`readlink -f /usr/share/java/zookeeper.jar >/root/jar && cp -p "$(cat /root/jar)" /root/kept.jar
: >/root/empty.jar && chmod 0644 /root/empty.jar && mv /root/empty.jar "$(cat /root/jar)"`),
  told: [{ setting: "readable by zookeeper", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh('mv /root/kept.jar "$(cat /root/jar)" && rm /root/jar'),
};
export default trap;
