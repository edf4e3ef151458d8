import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "HAProxy was killed a moment ago, as by a kernel without memory, and every connection was cut",
  steps: "haproxy",
  // The worker, which has the memory; its master ends with it. The other way round, systemd of a cgroup v1 that is not
  // the machine's own is not told of the worker's end, and waits a minute and a half for it.
  // What is younger than ten seconds is not believed to run at all.
  plant: sh(`systemctl reset-failed haproxy; pkill -KILL -P "$(systemctl show -P MainPID haproxy)"
age() { [ "$(systemctl is-active haproxy)" = active ] && ps -o etimes= -p "$(systemctl show -P MainPID haproxy)" || echo 0; }
for _ in $(seq 80); do [ "$(age)" -ge 12 ] && break; sleep 0.5; done; [ "$(age)" -ge 12 ]`),
  told: [
    {
      setting: "running",
      verdict: "proven",
      because: /haproxy\.service died, and systemd started it again \d+ min ago/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh("systemctl restart haproxy"),
};
export default trap;
