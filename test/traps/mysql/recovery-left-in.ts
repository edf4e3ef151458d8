import { sh, type Trap } from "../trap.ts";

const because = /^innodb_force_recovery=6 is for saving data of a damaged server/;

const trap: Trap = {
  title: "the recovery mode of an old rescue was left in an option file, and the next start takes no writes",
  steps: "mysql",
  plant: sh("printf '[mysqld]\\ninnodb_force_recovery = 6\\n' >/etc/mysql/conf.d/70-rescue.cnf"),
  told: [{ setting: /^next start of (?:mariadb|mysql)\.service$/, verdict: "blocked", because }],
  outcome: { is: "refused", code: 1, because: /innodb_force_recovery=6/ },
  clear: sh("rm /etc/mysql/conf.d/70-rescue.cnf"),
};
export default trap;
