import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "SET PERSIST_ONLY: files and the running server are right, and the next start takes another value",
  steps: "mysql",
  plant: sh(`mysql -e 'SET PERSIST_ONLY innodb_buffer_pool_size = 134217728'`),
  told: [{ setting: "innodb_buffer_pool_size", verdict: "shadowed", because: /mysqld-auto\.cnf/ }],
  outcome: { is: "refused", code: 1, because: /RESET PERSIST innodb_buffer_pool_size/ },
  // MariaDB has no SET PERSIST.
  suites: ["sid"],
  clear: sh(`mysql -e 'RESET PERSIST innodb_buffer_pool_size'`),
};
export default trap;
