import assert from "node:assert/strict";
import { mustRun } from "../../e2e/backends.ts";
import type { Trap } from "../trap.ts";

const MIB = 2 ** 20;
/** MariaDB before 10.11.12 and MySQL round up to whole chunks of 128M; newer MariaDB has none. */
const MADE_OF_300M = { bullseye: 384 * MIB, bookworm: 300 * MIB, trixie: 300 * MIB, sid: 384 * MIB };

const trap: Trap = {
  title:
    "a pool of 300M is asked for, which MySQL and old MariaDB round to 384M: proven by what it is rounded to",
  steps: "mysql",
  plant: async () => {},
  told: [{ setting: "innodb_buffer_pool_size", verdict: "different", because: /^256M where 300M is wanted/ }],
  outcome: { is: "mended" },
  inventory: (yaml) => yaml.replace("buffer_pool_size: 256M", "buffer_pool_size: 300M"),
  after: async ({ host, suite }) => {
    const bytes = await mustRun(host, "mysql -N -e 'SELECT @@GLOBAL.innodb_buffer_pool_size'");
    assert.equal(Number(bytes), MADE_OF_300M[suite]);
  },
};
export default trap;
