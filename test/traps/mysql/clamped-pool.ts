import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a ceiling set elsewhere clamps the pool, with no more than a warning",
  steps: "mysql",
  // MariaDB 10.11.12 and 11.8.2 brought innodb_buffer_pool_size_max: SET GLOBAL above it ends with a warning.
  suites: ["bookworm", "trixie"],
  plant: sh(
    `cd /etc/mysql/mariadb.conf.d && printf '[mysqld]\\ninnodb_buffer_pool_size_max = 134217728\\n' >60-somebody.cnf && cp -p zz-meshctl.cnf /root/ && sed -i 's/^innodb_buffer_pool_size.*/innodb_buffer_pool_size = 134217728/' zz-meshctl.cnf && systemctl restart mariadb && cp -p /root/zz-meshctl.cnf .`,
  ),
  told: [{ setting: "innodb_buffer_pool_size", verdict: "clamped", because: /innodb_buffer_pool_size_max/ }],
  outcome: { is: "mended" },
  clear: sh("rm -f /root/zz-meshctl.cnf /etc/mysql/mariadb.conf.d/60-somebody.cnf"),
};
export default trap;
