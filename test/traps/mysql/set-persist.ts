import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "SET PERSIST overrules every file",
  steps: "mysql",
  plant: sh(`mysql -e 'SET PERSIST innodb_flush_log_at_trx_commit = 1'`),
  told: [{ setting: "innodb_flush_log_at_trx_commit", verdict: "shadowed", because: /mysqld-auto\.cnf/ }],
  outcome: { is: "refused", code: 1, because: /RESET PERSIST/ },
  // MariaDB has no SET PERSIST.
  suites: ["sid"],
  clear: sh(
    `mysql -e 'RESET PERSIST innodb_flush_log_at_trx_commit; SET GLOBAL innodb_flush_log_at_trx_commit = 2'`,
  ),
};
export default trap;
