import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "the host is no KVM guest, and nobody said that this is meant",
  steps: "preflight",
  plant: async () => {},
  told: [{ setting: "virtualization", verdict: "blocked", because: /systemd-nspawn/ }],
  outcome: { is: "refused", code: 1, because: /systemd-nspawn/ },
  inventory: (yaml) => yaml.replace("[kvm, none, systemd-nspawn]", "[kvm, none]"),
};
export default trap;
