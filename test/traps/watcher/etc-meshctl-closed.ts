import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a hardening script closed /etc/meshctl: Synapse cannot read its file at its next start",
  steps: "watcher",
  plant: sh("chmod 0700 /etc/meshctl"),
  told: [
    {
      setting: "readable by meshctl-watcher",
      verdict: "different",
      because: /meshctl-watcher may not enter \/etc\/meshctl \(root:root 0700\)/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
