import { sh, type Trap } from "../trap.ts";

const because = /takes its data from \/var\/lib\/mysql-old, and what runs has it in \/var\/lib\/mysql:/;

const trap: Trap = {
  title: "datadir leads to an old copy of the data, which the next start would serve",
  steps: "mysql",
  plant: sh(
    "cp -a /var/lib/mysql /var/lib/mysql-old && printf '[mysqld]\\ndatadir = /var/lib/mysql-old\\n' >/etc/mysql/conf.d/70-copy.cnf",
  ),
  told: [{ setting: /^next start of (?:mariadb|mysql)\.service$/, verdict: "blocked", because }],
  outcome: { is: "refused", code: 1, because },
  clear: sh("rm -r /etc/mysql/conf.d/70-copy.cnf /var/lib/mysql-old"),
};
export default trap;
