import { sh, type Trap } from "../trap.ts";

const because = /\/etc\/mysql\/gone\.sql is not there: mariadb\.service needs it to start/;

const trap: Trap = {
  title: "the file of statements that the database carries out at its start is gone, and it would not start",
  steps: "mysql",
  // MySQL's is not tried.
  suites: ["bookworm", "bullseye", "trixie"],
  plant: sh("printf '[mysqld]\\ninit_file = /etc/mysql/gone.sql\\n' >/etc/mysql/conf.d/70-warm-up.cnf"),
  told: [{ setting: "readable by mysql", verdict: "blocked", because }],
  outcome: { is: "refused", code: 1, because },
  clear: sh("rm /etc/mysql/conf.d/70-warm-up.cnf"),
};
export default trap;
