import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/mysql\/warm-up\.sql:2 \(init_file\) sets innodb_flush_log_at_trx_commit to 0 and wins over every file/;

const trap: Trap = {
  title: "statements that the database carries out whenever it has started set a setting otherwise",
  steps: "mysql",
  plant:
    sh(`printf 'SELECT COUNT(*) FROM mysql.user;\\nSET GLOBAL innodb_flush_log_at_trx_commit = 0;\\n' >/etc/mysql/warm-up.sql
printf '[mysqld]\\ninit_file = /etc/mysql/warm-up.sql\\n' >/etc/mysql/conf.d/70-warm-up.cnf`),
  told: [{ setting: "innodb_flush_log_at_trx_commit", verdict: "shadowed", because }],
  outcome: { is: "refused", code: 1, because: /warm-up\.sql:2/ },
  clear: sh("rm /etc/mysql/warm-up.sql /etc/mysql/conf.d/70-warm-up.cnf"),
};
export default trap;
