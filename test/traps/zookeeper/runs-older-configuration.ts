import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "zoo.cfg is right, but the process started with another, and cp -p hid it",
  steps: "zookeeper",
  plant: sh(
    "cp -p /etc/zookeeper/conf/zoo.cfg /root/zoo.cfg && sed -i s/^tickTime=.*/tickTime=2500/ /etc/zookeeper/conf/zoo.cfg && systemctl restart zookeeper && sleep 3 && cp -p /root/zoo.cfg /etc/zookeeper/conf/zoo.cfg",
  ),
  told: [{ setting: /tickTime/, verdict: "not-in-force", because: /2500/ }],
  outcome: { is: "mended" },
  clear: sh("rm /root/zoo.cfg"),
};
export default trap;
