import { CLOCK_AS_IT_IS, clockMovedBy } from "../clock.ts";
import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the host's clock is 90 s ahead of the others'",
  steps: "preflight",
  plant: sh(clockMovedBy(90)),
  told: [{ setting: "clock", verdict: "blocked", because: /ahead of kvm-0[12]: let NTP set it/ }],
  outcome: { is: "refused", code: 5, because: /clock: .* ahead of kvm-0[12]/ },
  clear: sh(CLOCK_AS_IT_IS),
};
export default trap;
