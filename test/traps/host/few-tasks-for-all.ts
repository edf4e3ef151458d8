import { sh, type Trap } from "../trap.ts";

const path = "/etc/systemd/system.conf.d/small.conf";
const because =
  /small\.conf:2 DefaultTasksMax=2 holds for every service and may keep haproxy\.service from starting/;

const trap: Trap = {
  title: "systemd gives every service so few tasks that HAProxy would not start",
  // ZooKeeper's unit has a limit of its own, which counts instead.
  steps: "haproxy",
  plant: sh(`mkdir -p /etc/systemd/system.conf.d && printf '[Manager]\\nDefaultTasksMax=2\\n' >${path}`),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm ${path}`),
};
export default trap;
