import { sh, type Trap } from "../trap.ts";

const WORKER = '"$(pgrep -P "$(systemctl show -P MainPID haproxy)" haproxy | tail -n 1)"';

const trap: Trap = {
  title: "the worker of HAProxy gives way to all others, and its master does not",
  steps: "haproxy",
  plant: sh(`renice -n 19 -p ${WORKER} && ionice -c 3 -p ${WORKER}`),
  told: [
    {
      setting: "next start of haproxy.service",
      verdict: "proven",
      because:
        /PID \d+ of haproxy\.service gives way to others \(nice 19\): renice -n 0 -p \d+; PID \d+ of haproxy\.service gets what disks all others leave \(idle\)/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(`renice -n 0 -p ${WORKER} && ionice -c 0 -p ${WORKER}`),
};
export default trap;
