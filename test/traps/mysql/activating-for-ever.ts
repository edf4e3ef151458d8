import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "somebody's mistyped option is why MySQL is activating for ever, which is neither up nor failed",
  steps: "mysql",
  plant: sh(
    `cd /etc/mysql/mysql.conf.d && printf '[mysqld]\\ninodb_log_file_size = 1\\n' >60-somebody.cnf; systemctl restart --no-block mysql; until [ "$(systemctl show -P NRestarts mysql)" -ge 4 ]; do sleep 1; done; test "$(systemctl show -P ActiveState mysql)" = activating`,
  ),
  told: [
    { setting: "mysql.service", verdict: "different", because: /inodb_log_file_size/ },
    { setting: "option files", verdict: "different", because: /inodb_log_file_size/ },
  ],
  outcome: { is: "refused", code: 1, because: /inodb_log_file_size/ },
  // MariaDB's unit fails instead.
  suites: ["sid"],
  clear: sh("rm /etc/mysql/mysql.conf.d/60-somebody.cnf"),
};
export default trap;
