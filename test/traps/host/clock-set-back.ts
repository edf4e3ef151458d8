import { CLOCK_AS_IT_IS, clockMovedBy } from "../clock.ts";
import { sh, type Trap } from "../trap.ts";

const starts = "systemctl show -P InvocationID zookeeper haproxy meshctl-watcher";

const trap: Trap = {
  title: "the host's clock was set back by a day",
  plant: sh(
    `${clockMovedBy(-86_400)}
    ${starts} >/run/started`,
  ),
  told: [{ setting: "clock", verdict: "blocked", because: /behind kvm-0[12]: let NTP set it/ }],
  outcome: { is: "refused", code: 5, because: /clock: .* behind kvm-0[12]/ },
  after: sh(`${starts} | cmp - /run/started`),
  clear: sh(CLOCK_AS_IT_IS),
};
export default trap;
