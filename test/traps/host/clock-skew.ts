import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the host's clock is 90 s ahead of the others'",
  steps: "preflight",
  // Lab hosts share the kernel's clock: what the host's shell calls date is ahead. libfaketime for all programs takes
  // sshd down.
  plant: sh(
    `printf '#!/bin/sh\\nexec /bin/date -d "+90 seconds" "$@"\\n' >/usr/local/bin/date && chmod +x /usr/local/bin/date`,
  ),
  told: [{ setting: "clock", verdict: "blocked", because: /ahead of kvm-0[12]: let NTP set it/ }],
  outcome: { is: "refused", code: 5, because: /clock: .* ahead of kvm-0[12]/ },
  clear: sh("rm /usr/local/bin/date"),
};
export default trap;
