import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a member runs standalone although an ensemble is asked for",
  steps: "zookeeper",
  plant: sh(
    "cp -p /etc/zookeeper/conf/zoo.cfg /root/ && sed -i /^server/d /etc/zookeeper/conf/zoo.cfg && systemctl restart zookeeper && sleep 3",
  ),
  told: [
    { setting: "role", verdict: "different", because: /standalone/ },
    { setting: "members", verdict: "blocked", because: /kvm-01 has other members \(alone;/ },
  ],
  outcome: { is: "refused", code: 1, because: /does not change the members of a living ensemble/ },
  host: "kvm-01",
  clear: sh("mv /root/zoo.cfg /etc/zookeeper/conf/zoo.cfg && systemctl restart zookeeper"),
};
export default trap;
