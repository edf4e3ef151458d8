import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the kernel has the value, but no file would set it at the next boot",
  steps: "sysctl",
  plant: sh("rm /etc/sysctl.d/99-zz-meshctl.conf"),
  told: [{ setting: "net.ipv4.tcp_fin_timeout", verdict: "missing", because: /./ }],
  outcome: { is: "mended" },
  after: sh("grep -qx 'net.ipv4.tcp_fin_timeout = 15' /etc/sysctl.d/99-zz-meshctl.conf"),
};
export default trap;
