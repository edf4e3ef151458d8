import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "somebody's file has a mistyped option: a restart would leave the database down",
  steps: "mysql",
  plant: sh(
    `cd /etc/mysql/m*.conf.d && printf '[mysqld]\\ninodb_log_file_size = 1\\n' >60-somebody.cnf; systemctl show -P MainPID mysql >/run/started`,
  ),
  told: [
    {
      setting: /^innodb_(log_file_size|redo_log_capacity)$/,
      verdict: "different",
      // Half of MySQL's redo log.
      because: /\d+[MG] where (256|512)M is wanted/,
    },
    { setting: "option files", verdict: "different", because: /inodb_log_file_size/ },
  ],
  outcome: { is: "refused", code: 1, because: /inodb_log_file_size/ },
  inventory: (yaml) => yaml.replace("buffer_pool_size: 256M", "buffer_pool_size: 256M, log_file_size: 256M"),
  after: sh("systemctl show -P MainPID mysql | cmp - /run/started && systemctl is-active mysql"),
  clear: sh("rm /etc/mysql/m*.conf.d/60-somebody.cnf"),
};
export default trap;
