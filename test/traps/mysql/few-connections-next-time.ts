import { sh, type Trap } from "../trap.ts";

const FILE = "/etc/mysql/conf.d/trap-few.cnf";

const trap: Trap = {
  title:
    "the next start of the database lets each account in once, and sends each client through a statement that fails",
  steps: "mysql",
  plant: sh(
    `printf '[mysqld]\\nmax_user_connections=1\\ninit_connect="SET SESSION sql_mode=nonsense"\\n' >${FILE}`,
  ),
  told: [
    {
      setting: /^next start of (?:mariadb|mysql)\.service$/,
      verdict: "proven",
      because: /takes 1 connections at most from each account.*begins with the statements of init_connect/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(`rm ${FILE}`),
};
export default trap;
