// `npm run test:matrix`: the whole job, every trap and what depends on a release's programs on each Debian release, a table
// of how they ended, and what a host of each answers, for the unit tests.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { type Suite, suites } from "./lab/suite.ts";
import { recordRelease } from "./recorded/record.ts";
import { plantTraps } from "./traps/table.ts";

/** End-to-end tests whose hosts are of the release that is tried. */
const SCENARIOS = ["lived-in", "zookeeper-auth", "dns"].map((name) => `test/e2e/${name}.test.ts`);

function passesScenarios(suite: Suite): boolean {
  const { status } = spawnSync("npx", ["vitest", "run", "--project", "e2e", "--retry=0", ...SCENARIOS], {
    stdio: "inherit",
    env: { ...process.env, MESHCTL_SUITE: suite },
  });
  return status === 0;
}

const results: ({ suite: Suite; lives: boolean } & Awaited<ReturnType<typeof plantTraps>>)[] = [];
// One after the other: each takes the machine.
for (const suite of suites) {
  await recordRelease(suite);
  results.push({ suite, lives: passesScenarios(suite), ...(await plantTraps(suite)) });
}
for (const { table } of results) console.log(`\n${table}`);
const word = (passed: boolean) => (passed ? "passed" : "**failed**");
const rows = results.map(
  ({ suite, lives, passed, ended }) => `| ${suite} | ${word(lives)} | ${ended} | ${word(passed)} |`,
);
const head = [
  "| release | lived in by people, and with an account | traps that ended as they should | |",
  "| --- | --- | --- | --- |",
];
const matrix = [...head, ...rows].join("\n");
console.log(`\n${matrix}`);
if (process.argv[2] !== undefined) writeFileSync(process.argv[2], `${matrix}\n`);
process.exitCode = results.every(({ lives, passed }) => lives && passed) ? 0 : 1;
