import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the file is right, but the kernel was given another value by hand",
  steps: "sysctl",
  plant: sh("echo 60 >/proc/sys/net/ipv4/tcp_fin_timeout"),
  told: [{ setting: "net.ipv4.tcp_fin_timeout", verdict: "not-in-force", because: /\b60\b/ }],
  outcome: { is: "mended" },
};
export default trap;
