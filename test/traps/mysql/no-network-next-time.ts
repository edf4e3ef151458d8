import { sh, type Trap } from "../trap.ts";

const because = /the next start of (?:mariadb|mysql)\.service listens on no address \(skip-networking\)/;

const trap: Trap = {
  title: "skip-networking was written down while the server runs, and nobody reaches it after its next start",
  steps: "mysql",
  plant: sh("printf '[mysqld]\\nskip-networking\\n' >/etc/mysql/conf.d/70-local.cnf"),
  told: [{ setting: /^next start of (?:mariadb|mysql)\.service$/, verdict: "blocked", because }],
  outcome: { is: "refused", code: 1, because },
  clear: sh("rm /etc/mysql/conf.d/70-local.cnf"),
};
export default trap;
