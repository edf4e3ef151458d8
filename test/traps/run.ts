// `npm run traps [-- SUITE]`: plants every trap on lab hosts and prints what meshctl said of each.
import { parseSuite } from "../lab/suite.ts";
import { plantTraps } from "./table.ts";

const suite = parseSuite(process.argv[2] ?? "bookworm");
const { passed, table } = await plantTraps(suite);
console.log(table);
process.exitCode = passed ? 0 : 1;
