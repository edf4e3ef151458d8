import { sh, type Trap } from "../trap.ts";

const path = "/proc/sys/net/ipv4/tcp_fin_timeout";

const trap: Trap = {
  title: "the value was set, and read back, in another network namespace",
  steps: "sysctl",
  plant: sh(`echo 60 >${path} && unshare -n sh -c 'echo 15 >${path} && grep -qx 15 ${path}'`),
  told: [
    { setting: "net.ipv4.tcp_fin_timeout", verdict: "not-in-force", because: /what runs has 60, not 15/ },
  ],
  outcome: { is: "mended" },
};
export default trap;
