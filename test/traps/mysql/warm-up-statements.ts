import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a counter-example: statements at the database's start that set what nobody asked for",
  steps: "mysql",
  verifyCode: 0,
  plant:
    sh(`printf 'SET GLOBAL max_connections = 400;\\n-- SET GLOBAL innodb_flush_log_at_trx_commit = 0;\\n' >/etc/mysql/warm-up.sql
printf '[mysqld]\\ninit_file = /etc/mysql/warm-up.sql\\n' >/etc/mysql/conf.d/70-warm-up.cnf`),
  told: [],
  outcome: { is: "left alone" },
  clear: sh("rm /etc/mysql/warm-up.sql /etc/mysql/conf.d/70-warm-up.cnf"),
};
export default trap;
