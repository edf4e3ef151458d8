import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a drop-in that is read later wins",
  steps: "mysql",
  plant: sh(
    `cd /etc/mysql/m*.conf.d && printf '[mysqld]\\ninnodb_flush_log_at_trx_commit = 1\\n' >zzz-somebody.cnf && systemctl restart mysql`,
  ),
  told: [{ setting: "innodb_flush_log_at_trx_commit", verdict: "shadowed", because: /zzz-somebody\.cnf:2/ }],
  outcome: { is: "refused", code: 1, because: /zzz-somebody\.cnf:2/ },
  clear: sh("rm /etc/mysql/m*.conf.d/zzz-somebody.cnf; systemctl restart mysql"),
};
export default trap;
