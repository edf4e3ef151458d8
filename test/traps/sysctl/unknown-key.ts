import { atHost, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a key is asked for that this kernel does not have",
  steps: "sysctl",
  plant: async () => {},
  told: [
    {
      setting: "net.ipv4.tcp_nonsense",
      verdict: "blocked",
      because: /this kernel has no net\.ipv4\.tcp_nonsense/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /this kernel has no net\.ipv4\.tcp_nonsense/ },
  inventory: (yaml) => atHost(yaml, "kvm-03", "sysctl: { net.ipv4.tcp_nonsense: 1 }"),
};
export default trap;
