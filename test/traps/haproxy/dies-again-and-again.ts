import { sh, type Trap } from "../trap.ts";

const because =
  /haproxy\.service is running for \d+ s after \d+ restarts: journalctl -u haproxy\.service tells why/;

const trap: Trap = {
  title: "it dies again and again, lives for a while each time, and runs at every look",
  steps: "haproxy",
  // As by a leak that the OOM killer ends: of the worker, with which the master ends. A life counts from 20 s on.
  plant: sh(
    `systemctl restart haproxy
for n in 1 2 3; do
  sleep 21
  master=$(systemctl show -P MainPID haproxy)
  kill -KILL $(cat /proc/$master/task/$master/children)
  for _ in $(seq 150); do
    [ "$(systemctl show -P NRestarts haproxy)" != $n ] || ! systemctl -q is-active haproxy || break
    sleep 0.2
  done
done
sleep 11`,
    { timeoutMs: 250_000 },
  ),
  told: [{ setting: "running", verdict: "different", because }],
  outcome: { is: "refused", code: 5, because },
  // Those by hand are not counted.
  clear: sh("systemctl reset-failed haproxy; systemctl restart haproxy"),
};
export default trap;
