import { atHost, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the host is too far from the other members of the ensemble",
  steps: "preflight",
  // Nothing makes the lab's network longer: what is asked for is what none can do.
  plant: async () => {},
  told: [
    {
      setting: "latency to the ensemble",
      verdict: "blocked",
      because: /^a round trip takes [\d.]+ ms to kvm-0[12]/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /latency to the ensemble: a round trip takes/ },
  inventory: (yaml) => atHost(yaml, "kvm-03", "preflight: { round_trip_max: 0ms }"),
};
export default trap;
