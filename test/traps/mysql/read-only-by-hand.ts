import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "somebody set read_only in an incident and forgot it: the server takes no writes",
  steps: "mysql",
  plant: sh('$(command -v mariadb || command -v mysql) -e "SET GLOBAL read_only = 1"'),
  told: [
    {
      setting: /^next start of (?:mariadb|mysql)\.service$/,
      verdict: "proven",
      because: /read_only=ON was set while (?:mariadb|mysql)\.service runs, so it takes no writes/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh('$(command -v mariadb || command -v mysql) -e "SET GLOBAL read_only = 0"'),
};
export default trap;
