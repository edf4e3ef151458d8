import { sh, type Trap } from "../trap.ts";

const CLIENT = "$(command -v mariadb || command -v mysql)";
const because =
  /event trap\.nightly \(on its schedule\) sets innodb_flush_log_at_trx_commit to 0 and wins over every file: say "ALTER EVENT trap\.nightly DISABLE"/;

const trap: Trap = {
  title: "an event of the database sets a setting otherwise every night",
  steps: "mysql",
  plant: sh(`${CLIENT} --delimiter='$$' <<'STATEMENTS'
SET GLOBAL event_scheduler = ON$$
CREATE DATABASE trap$$
CREATE EVENT trap.nightly ON SCHEDULE EVERY 1 DAY STARTS NOW() + INTERVAL 1 DAY DO BEGIN
  DELETE FROM mysql.help_topic WHERE FALSE;
  SET GLOBAL innodb_flush_log_at_trx_commit = 0;
END$$
STATEMENTS`),
  told: [{ setting: "innodb_flush_log_at_trx_commit", verdict: "shadowed", because }],
  outcome: { is: "refused", code: 1, because },
  clear: sh(`${CLIENT} -e "DROP DATABASE trap; SET GLOBAL event_scheduler = OFF"`),
};
export default trap;
