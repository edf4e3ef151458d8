import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the data is under /tmp, which a reboot empties",
  steps: "zookeeper",
  plant: sh(
    "sed -i s,^dataDir=.*,dataDir=/tmp/zookeeper, /etc/zookeeper/conf/zoo.cfg && mkdir -p /tmp/zookeeper && echo 3 >/tmp/zookeeper/myid && chown -R zookeeper: /tmp/zookeeper && systemctl restart zookeeper && sleep 3",
  ),
  told: [{ setting: "dataDir", verdict: "different", because: /\/tmp\/zookeeper/ }],
  outcome: { is: "mended" },
  clear: sh("rm -rf /tmp/zookeeper"),
};
export default trap;
