import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "zoo.cfg has a mistyped key, which ZooKeeper takes for a system property",
  steps: "zookeeper",
  plant: sh(
    "sed -i s/^syncLimit/syncLimits/ /etc/zookeeper/conf/zoo.cfg && systemctl restart zookeeper && sleep 2",
  ),
  told: [
    { setting: /tickTime/, verdict: "missing", because: /^nothing where \d+, \d+, \d+ is wanted/ },
    {
      setting: "zoo.cfg",
      verdict: "different",
      because: /^[0-9a-f]{12} where [0-9a-f]{12} is/,
      diff: /^syncLimits=/m,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
