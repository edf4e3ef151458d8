import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the database gets what processors all others leave, as after a restore that was to disturb nobody",
  steps: "mysql",
  plant: sh('chrt -a -i -p 0 "$(systemctl show -P MainPID mysql)"'),
  told: [
    {
      setting: /^next start of (?:mariadb|mysql)\.service$/,
      verdict: "proven",
      because:
        /PID \d+ of \w+\.service gets what processors all others leave \(SCHED_IDLE\): chrt -a -o -p 0 \d+/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh('chrt -a -o -p 0 "$(systemctl show -P MainPID mysql)"'),
};
export default trap;
