import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a directory within a gem was closed to all but root, which Synapse has read long ago",
  steps: "watcher",
  plant: sh('chmod 0700 "$(echo /opt/meshctl/watcher/gems-*/gems/zk-*/lib)"'),
  told: [
    { setting: "gems", verdict: "different", because: /damaged: gems\/zk-[\d.]+\/lib is closed \(700\)/ },
  ],
  outcome: { is: "mended" },
};
export default trap;
