import { sh, type Trap } from "../trap.ts";

const CNF = "/etc/mysql/conf.d/zz-log.cnf";

const trap: Trap = {
  title: "its error log goes where it may not write: the next start ends there",
  steps: "mysql",
  plant: sh(`install -d -m 0755 /srv/logs && printf '[mysqld]\\nlog_error=/srv/logs/error.log\\n' >${CNF}`),
  // MySQL's own validation does not come so far.
  suites: ["bullseye", "bookworm", "trixie"],
  told: [
    {
      setting: "readable by mysql",
      verdict: "blocked",
      because: /mysql may not write \/srv\/logs \(root:root 0755\): chmod/,
    },
  ],
  outcome: { is: "refused", code: 1, because: /mysql may not write \/srv\/logs/ },
  clear: sh(`rm -r ${CNF} /srv/logs`),
};
export default trap;
