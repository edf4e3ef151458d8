// `npm test`: lint, types, dead code, shell, unit tests, and the lab's end-to-end tests where a lab can run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labUnavailable } from "./lab/unavailable.ts";

const scratch = mkdtempSync(join(tmpdir(), "meshctl-test-"));
let passed = 0;
let failed = 0;

function step(title: string, command: string, args: readonly string[]): void {
  const startedAtMs = Date.now();
  console.log(`\n── ${title}`);
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
  if (status === 0) passed += 1;
  else failed += 1;
  console.log(`── ${title}: ${status === 0 ? "passed" : `FAILED (exit code ${status})`} in ${seconds} s`);
}

function vitest(...projects: readonly string[]): void {
  const report = join(scratch, `${projects[0]}.json`);
  const args = [
    "vitest",
    "run",
    ...projects.flatMap((project) => ["--project", project]),
    "--reporter=default",
    "--reporter=json",
    `--outputFile=${report}`,
  ];
  console.log(`\n── ${projects.join(" and ")} tests`);
  const { status } = spawnSync("npx", args, { stdio: "inherit" });
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    passed += numPassedTests;
    failed += numFailedTests;
    // A file that does not even load, or an error outside any test.
    if (status !== 0 && numFailedTests === 0) failed += 1;
  } catch {
    failed += 1;
  }
}

step("lint and format", "npx", ["biome", "check", "."]);
step("types", "npx", ["tsc"]);
step("dead code", "npx", ["knip"]);
step("shell scripts", process.execPath, ["scripts/shellcheck.mjs"]);
step("build", "npm", ["run", "--silent", "build"]);
vitest("unit");

const reason = labUnavailable();
if (reason === undefined) {
  vitest("e2e", "traps");
} else {
  console.log(`\n!! LEFT OUT: every test that needs real hosts. ${reason}`);
  if (process.env.CI) failed += 1;
}
rmSync(scratch, { recursive: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
