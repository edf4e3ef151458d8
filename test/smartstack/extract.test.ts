import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sha256Of } from "../../src/evidence/file.ts";

const script = resolve(import.meta.dirname, "../../src/smartstack/extract.sh");

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "meshctl-extract-"));
});

afterEach(() => rmSync(home, { recursive: true }));

/** Unpacks a build "new" beside others, while the unit starts one of them. Returns the builds that are left. */
function buildsAfter(others: readonly string[], started: string): readonly string[] {
  for (const name of ["packed", ...others.map((other) => join("builds", other))]) {
    mkdirSync(join(home, name), { recursive: true });
    writeFileSync(join(home, name, "SHA256SUMS"), `${sha256Of("")}  empty\n`);
    writeFileSync(join(home, name, "empty"), "");
  }
  const unit = join(home, "unit");
  writeFileSync(unit, `ExecStart=ruby ${join(home, "builds", started)}/gems/bin/synapse\n`);
  const archive = join(home, "builds", "new.tar.gz");
  execFileSync("tar", ["-C", join(home, "packed"), "-czf", archive, "SHA256SUMS", "empty"]);
  execFileSync("sh", [script, archive, join(home, "builds", "new"), unit], { stdio: "pipe" });
  return readdirSync(join(home, "builds")).sort();
}

it("keeps the build that runs beside the new one, and no older ones", () => {
  expect(buildsAfter(["older", "old", "oldest"], "old")).toEqual(["new", "old"]);
});

it("removes nothing when it mends the build that runs", () => {
  expect(buildsAfter(["new", "old"], "new")).toEqual(["new", "old"]);
});
