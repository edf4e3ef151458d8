import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "the pool asked for is larger than the host's memory",
  steps: "mysql",
  plant: async () => {},
  told: [{ setting: "innodb_buffer_pool_size", verdict: "blocked", because: /memory/ }],
  outcome: { is: "refused", code: 1, because: /memory/ },
  inventory: (yaml) => yaml.replace("buffer_pool_size: 256M", "buffer_pool_size: 100G"),
};
export default trap;
