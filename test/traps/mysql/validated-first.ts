import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title:
    "a mistyped option lies in wait, and what is asked for needs a restart: validated first, nothing is stopped",
  steps: "mysql",
  plant: sh(
    `cd /etc/mysql/m*.conf.d && printf '[mysqld]\\ninodb_log_file_size = 1\\n' >60-somebody.cnf; cp -p zz-meshctl.cnf /root/; systemctl show -P MainPID mysql >/run/started`,
  ),
  told: [{ setting: "innodb_buffer_pool_size", verdict: "different", because: /256M/ }],
  outcome: { is: "refused", code: 1, because: /inodb_log_file_size/ },
  inventory: (yaml) => yaml.replace("buffer_pool_size: 256M", "buffer_pool_size: 384M"),
  after: sh(
    `systemctl show -P MainPID mysql | cmp - /run/started && systemctl is-active mysql && cmp /root/zz-meshctl.cnf /etc/mysql/m*.conf.d/zz-meshctl.cnf`,
  ),
  clear: sh("rm -f /etc/mysql/m*.conf.d/60-somebody.cnf /root/zz-meshctl.cnf"),
};
export default trap;
