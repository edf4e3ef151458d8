import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "the server rounds the pool: what is in force is not what was asked for, to the letter",
  steps: "mysql",
  plant: async () => {},
  told: [{ setting: "innodb_buffer_pool_size", verdict: "different", because: /./ }],
  outcome: { is: "mended" },
  inventory: (yaml) => yaml.replace("buffer_pool_size: 256M", "buffer_pool_size: 300M"),
};
export default trap;
