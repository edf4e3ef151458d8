import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "our file is masked by a link to /dev/null",
  steps: "sysctl",
  plant: sh("ln -sf /dev/null /etc/sysctl.d/99-zz-meshctl.conf"),
  told: [{ setting: "/etc/sysctl.d/99-zz-meshctl.conf", verdict: "blocked", because: /\/dev\/null/ }],
  outcome: { is: "refused", code: 5, because: /null/ },
  clear: sh("rm -f /etc/sysctl.d/99-zz-meshctl.conf"),
};
export default trap;
