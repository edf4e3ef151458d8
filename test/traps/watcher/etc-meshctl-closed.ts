import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a hardening script closed /etc/meshctl: Synapse cannot read its file at its next start",
  steps: "watcher",
  plant: sh("install -m 0640 /dev/null /etc/meshctl/not-for-all && chmod 0700 /etc/meshctl"),
  told: [
    {
      setting: "readable by meshctl-watcher",
      verdict: "different",
      because: /meshctl-watcher may not enter \/etc\/meshctl \(root:root 0700\)/,
    },
  ],
  outcome: { is: "mended" },
  after: sh("test \"$(stat -c %a /etc/meshctl /etc/meshctl/not-for-all | xargs)\" = '755 640'"),
  clear: sh("rm /etc/meshctl/not-for-all"),
};
export default trap;
