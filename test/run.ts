// `npm test`: lint, types, dead code, shell, Perl, unit tests, and the lab's end-to-end tests where a lab can run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
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

interface FileResult {
  /** The file's path. */
  readonly name: string;
  readonly status: "passed" | "failed";
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly FileResult[];
}

/** A run of test files. Undefined is a report that was not written: what failed is not known then. */
function vitest(title: string, ...args: readonly string[]): { ok: boolean; report: Report | undefined } {
  const file = join(scratch, "report.json");
  console.log(`\n── ${title}`);
  const { status } = spawnSync(
    "npx",
    ["vitest", "run", ...args, "--reporter=default", "--reporter=json", `--outputFile=${file}`],
    { stdio: "inherit" },
  );
  try {
    return { ok: status === 0, report: JSON.parse(readFileSync(file, "utf8")) };
  } catch {
    return { ok: false, report: undefined };
  } finally {
    rmSync(file, { force: true });
  }
}

function count({ ok, report }: ReturnType<typeof vitest>): void {
  passed += report?.numPassedTests ?? 0;
  failed += report?.numFailedTests ?? 0;
  // A file that does not even load, or an error outside any test.
  if (!ok && !report?.numFailedTests) failed += 1;
}

/** More than these is no accident. */
const SECOND_TRIES = 3;

/**
 * The tests on real hosts. A file that fails gets one second try, alone, on hosts of its own: what is wrong fails again,
 * what an overloaded machine did does not. Every test that needed it is printed, for it is a fault to be found.
 */
function onHosts(): void {
  const first = vitest("e2e and traps tests", "--project", "e2e", "--project", "traps");
  const files = first.report?.testResults.filter(({ status }) => status === "failed") ?? [];
  // A trap has had its second try already.
  const isWorthIt =
    files.length > 0 &&
    files.length <= SECOND_TRIES &&
    files.every(({ name }) => !name.includes("/test/traps/"));
  if (first.ok || !isWorthIt) {
    count(first);
    return;
  }
  const again = vitest(
    `e2e tests, a second try of ${files.length}`,
    ...["--project", "e2e"],
    ...files.map(({ name }) => name),
  );
  count(again);
  passed += first.report!.numPassedTests - passedIn(files);
  if (!again.ok) return;
  console.log("\n!! PASSED AT A SECOND TRY ONLY, which is a fault to be found:");
  for (const { name, assertionResults } of files)
    for (const { fullName, status } of assertionResults)
      if (status === "failed") console.log(`   ${relative(process.cwd(), name)}: ${fullName}`);
}

const passedIn = (files: readonly FileResult[]): number =>
  files.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === "passed")
    .length;

step("lint, types, dead code, shell and Perl", process.execPath, ["scripts/check.mjs"]);
step("build", "npm", ["run", "--silent", "build"]);
count(vitest("unit and package tests", "--project", "unit", "--project", "package"));

const reason = labUnavailable();
if (reason === undefined) {
  onHosts();
} else {
  console.log(`\n!! LEFT OUT: every test that needs real hosts. ${reason}`);
  if (process.env.CI) failed += 1;
}
rmSync(scratch, { recursive: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
