import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "nobody can tell what kind of machine the host is",
  steps: "preflight",
  plant: sh("mv /usr/bin/systemd-detect-virt /root/"),
  told: [{ setting: "virtualization", verdict: "unknown", because: /printed nothing/ }],
  verifyCode: 5,
  outcome: { is: "refused", code: 5, because: /virtualization: .*printed nothing/ },
  clear: sh("mv /root/systemd-detect-virt /usr/bin/"),
};
export default trap;
