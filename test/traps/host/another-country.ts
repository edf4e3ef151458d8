import { atHost, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the database is declared to stand in a country that its data may not be in",
  steps: "preflight",
  plant: async () => {},
  told: [
    { setting: "country", verdict: "blocked", because: /^kvm-03 is in US by \S+:\d+, .* in DE or FR only/ },
  ],
  outcome: { is: "refused", code: 5, because: /country: kvm-03 is in US/ },
  inventory: (yaml) =>
    atHost(yaml, "kvm-03", "country: US").replace(
      "mysql: {",
      "preflight: { countries: [DE, FR] }\n    mysql: {",
    ),
};
export default trap;
