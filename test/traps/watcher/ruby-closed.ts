import { sh, type Trap } from "../trap.ts";

const because = /meshctl-watcher may not read \/usr\/lib\/ruby \(root:root 0700\)/;

const trap: Trap = {
  title: "a hardening script closed Ruby's own library to all but root",
  steps: "watcher",
  plant: sh("chmod 0700 /usr/lib/ruby"),
  told: [{ setting: "readable by meshctl-watcher", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("chmod 0755 /usr/lib/ruby"),
};
export default trap;
