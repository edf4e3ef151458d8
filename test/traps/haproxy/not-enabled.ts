import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "it runs, but would not after a reboot",
  steps: "haproxy,watcher",
  plant: sh("systemctl disable haproxy"),
  told: [{ setting: "enabled at boot", verdict: "different", because: /disabled/ }],
  outcome: { is: "mended" },
};
export default trap;
