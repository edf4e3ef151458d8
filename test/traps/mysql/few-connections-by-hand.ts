import { sh, type Trap } from "../trap.ts";

const CLIENT = "$(command -v mariadb || command -v mysql) -N -B";

const trap: Trap = {
  title: "somebody throttled the database in an incident and forgot it: it takes a dozen connections",
  steps: "mysql",
  plant: sh(
    `${CLIENT} -e 'SELECT @@GLOBAL.max_connections' >/root/max-connections && ${CLIENT} -e "SET GLOBAL max_connections = 12"`,
  ),
  told: [
    {
      setting: /^next start of (?:mariadb|mysql)\.service$/,
      verdict: "proven",
      because:
        /(?:mariadb|mysql)\.service takes 12 connections at most, and \d+ after its next start: SET GLOBAL max_connections=/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(
    `${CLIENT} -e "SET GLOBAL max_connections = $(cat /root/max-connections)"; rm /root/max-connections`,
  ),
};
export default trap;
