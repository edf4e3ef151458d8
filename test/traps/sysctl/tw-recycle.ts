import { atHost, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "tcp_tw_recycle is asked for, which Linux 4.12 took away",
  steps: "sysctl",
  plant: async () => {},
  told: [],
  outcome: { is: "refused", code: 3, because: /tcp_tw_recycle/ },
  inventory: (yaml) => atHost(yaml, "kvm-03", "sysctl: { net.ipv4.tcp_tw_recycle: 1 }"),
  said: /:\d+:\d+ .*tcp_tw_recycle.*4\.12/,
  verifyCode: 3,
};
export default trap;
