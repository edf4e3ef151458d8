import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "nothing installs what Synapse writes: haproxy.cfg is not rewritten any more",
  steps: "haproxy,watcher",
  plant: sh("systemctl stop meshctl-haproxy-install.path"),
  told: [{ setting: "meshctl-haproxy-install.path", verdict: "not-in-force", because: /./ }],
  outcome: { is: "mended" },
};
export default trap;
