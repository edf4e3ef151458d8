// `npm run test:matrix`: the whole job and every trap on each Debian release, and a table of how they ended.
import { writeFileSync } from "node:fs";
import { suites } from "./lab/suite.ts";
import { plantTraps } from "./traps/table.ts";

const results: ({ suite: string } & Awaited<ReturnType<typeof plantTraps>>)[] = [];
// One after the other: each takes the machine.
for (const suite of suites) results.push({ suite, ...(await plantTraps(suite)) });
for (const { table } of results) console.log(`\n${table}`);
const rows = results.map(
  ({ suite, passed, ended }) => `| ${suite} | ${ended} | ${passed ? "passed" : "**failed**"} |`,
);
const matrix = ["| release | traps that ended as they should | |", "| --- | --- | --- |", ...rows].join("\n");
console.log(`\n${matrix}`);
if (process.argv[2] !== undefined) writeFileSync(process.argv[2], `${matrix}\n`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
