import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "it runs, but would not after a reboot",
  steps: "zookeeper",
  plant: sh("systemctl disable zookeeper"),
  told: [{ setting: "starts at boot", verdict: "different", because: /disabled/ }],
  outcome: { is: "mended" },
};
export default trap;
