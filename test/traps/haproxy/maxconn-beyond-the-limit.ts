import { atHost, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "more connections are asked for than the host's limit of open files allows",
  steps: "haproxy,watcher",
  plant: async () => {},
  told: [{ setting: "open files", verdict: "blocked", because: /20000/ }],
  outcome: { is: "refused", code: 5, because: /20000/ },
  inventory: (yaml) => atHost(yaml, "kvm-03", "haproxy: { maxconn: 50000 }"),
};
export default trap;
