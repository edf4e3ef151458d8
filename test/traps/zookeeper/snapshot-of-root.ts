import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "one file of its data is root's alone: the next start reads all of them",
  steps: "zookeeper",
  plant: sh("install -m 0600 /dev/null /var/lib/zookeeper/data/version-2/acceptedEpoch.tmp"),
  told: [
    {
      setting: "readable by zookeeper",
      verdict: "blocked",
      because: /version-2\/acceptedEpoch\.tmp \(root:root 0600\): chown -R -h zookeeper/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /acceptedEpoch\.tmp/ },
  clear: sh("rm /var/lib/zookeeper/data/version-2/acceptedEpoch.tmp"),
};
export default trap;
