import { sh, type Trap } from "../trap.ts";

const path = "/etc/sysctl.d/99-zz-meshctl.conf";

const trap: Trap = {
  title: "the kernel has the value, but no file would set it at the next boot",
  steps: "sysctl",
  plant: sh(`rm ${path}`),
  told: [
    { setting: "net.ipv4.tcp_fin_timeout", verdict: "missing", because: /^nothing where 15 is wanted/ },
    { setting: path, verdict: "missing", because: /^nothing where [0-9a-f]{12} 0644 root:root is wanted/ },
  ],
  outcome: { is: "mended" },
  after: sh(`grep -qx 'net.ipv4.tcp_fin_timeout = 15' ${path}`),
};
export default trap;
