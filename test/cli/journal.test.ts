import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Journal, journalDirectory, writtenEvents, writtenRuns } from "../../src/cli/journal.ts";
import { withLastRun } from "../../src/cli/last-run.ts";
import type { HostOutcome } from "../../src/engine/events.ts";
import { Secret } from "../../src/secret.ts";

let folder: string;
const told: string[] = [];
const made = { step: "haproxy", change: "configuration", why: "it differs" };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-journal-"));
  vi.stubEnv("XDG_STATE_HOME", folder);
  told.length = 0;
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const nameOf = (number: number) => `20261122-1903${String(number).padStart(2, "0")}-4f2a`;

function written(
  number: number,
  command: string,
  hosts: readonly Partial<HostOutcome>[] | undefined,
): string {
  const run = nameOf(number);
  const file = join(folder, "inventory.yaml");
  writeFileSync(file, "version: 1\n");
  const asked = { command, arguments: ["-i", file], files: [file, join(folder, "gone.yaml")] };
  const journal = new Journal(run, asked, (message) => told.push(message));
  const outcomes = hosts?.map((host) => ({ changed: [], unproven: [], execs: 1, ...host }) as HostOutcome);
  if (outcomes !== undefined)
    journal.see({ event: "summary", exitCode: 0, hosts: outcomes, durationMs: 1200 });
  journal.end();
  return run;
}

describe("the journal", () => {
  it("keeps who asked for what with which files, and what came of it, for its user alone", () => {
    const run = written(1, "provision", [{ host: "a", is: "as wanted", changed: [made] }]);
    const [asked, summary] = writtenEvents(run)!;
    expect(asked).toMatchObject({
      event: "asked",
      run,
      command: "provision",
      user: expect.any(String),
      on: expect.any(String),
      files: [{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }, { path: join(folder, "gone.yaml") }],
    });
    expect(summary).toMatchObject({
      event: "summary",
      exit_code: 0,
      hosts: [{ host: "a", changed: [made] }],
    });
    const [file] = readdirSync(journalDirectory());
    expect(statSync(join(journalDirectory(), file!)).mode & 0o777).toBe(0o600);
    expect(statSync(journalDirectory()).mode & 0o777).toBe(0o700);
  });

  it("holds no content of files and no secret", () => {
    const secret = new Secret("hunter2hunter2");
    const run = nameOf(1);
    const journal = new Journal(run, { command: "plan", arguments: [], files: [] }, () => {});
    const diff = { path: "/etc/x", was: "was-in-it", want: `want-in-it ${secret.reveal()}` };
    const layer = { is: "read", value: secret.reveal(), source: "x" } as const;
    const evidence = {
      setting: "x",
      want: "y",
      onDisk: layer,
      inForce: layer,
      verdict: "different",
      diff,
    } as const;
    journal.see({ event: "evidence", host: "a", step: "x", evidence });
    journal.end();
    const text = JSON.stringify(writtenEvents(run));
    expect(text).toContain('"diff":{"path":"/etc/x"}');
    expect(text).not.toMatch(/hunter2|-in-it/);
  });

  it("is there to the last change of a run that is killed", () => {
    const run = nameOf(1);
    const journal = new Journal(run, { command: "provision", arguments: [], files: [] }, () => {});
    journal.see({ event: "note", text: "about to be killed" });
    expect(writtenEvents(run)!.map(({ event }) => event)).toEqual(["asked", "note"]);
    journal.end();
  });

  it("forgets all but the last hundred runs", () => {
    const names = Array.from({ length: 103 }, (_, at) => `20261122-${String(100000 + at)}-4f2a`);
    for (const run of names) new Journal(run, { command: "plan", arguments: [], files: [] }, () => {}).end();
    expect(writtenRuns()).toEqual(names.slice(3));
  });

  it("tells another file every line too, and of it alone when that cannot be written", () => {
    const lines: string[] = [];
    const asked = { command: "plan", arguments: [], files: [] };
    const journal = new Journal(
      nameOf(1),
      asked,
      (message) => told.push(message),
      (text) => {
        if (lines.length === 2) throw new Error("no space left");
        lines.push(text);
      },
    );
    for (const text of ["one", "two", "three"]) journal.see({ event: "note", text });
    journal.end();
    expect(lines.join("")).toMatch(/"event":"asked".*\n.*"text":"one".*\n.*"text":"two".*\n$/);
    expect(told).toEqual(["--log-file: no space left"]);
    expect(writtenEvents(nameOf(1))!.map(({ event }) => event)).toEqual(["asked", "note", "note", "note"]);
  });

  it("that cannot be written is told of once, and ends nothing", () => {
    vi.stubEnv("XDG_STATE_HOME", join(folder, "file"));
    writeFileSync(join(folder, "file"), "");
    const run = written(1, "plan", [{ host: "a", is: "as wanted" }]);
    expect(told).toEqual([expect.stringMatching(/^This run is not written down: /)]);
    expect(writtenEvents(run)).toBeUndefined();
    expect(existsSync(journalDirectory())).toBe(false);
  });
});

describe("a pattern", () => {
  it.each([
    ["@failed", "b|c"],
    ["@changed", "a|b"],
    ["proxies,!@changed", "proxies,!a|b"],
    ["proxies,&@failed", "proxies,&b|c"],
    [" @failed ,x", "b|c,x"],
    [`@failed:${nameOf(1)}`, "z"],
    ["a,b*", "a,b*"],
  ])("%j is %j of the last run that was to change hosts", (pattern, hosts) => {
    written(1, "provision", [{ host: "z", is: "failed" }]);
    written(2, "provision", [
      { host: "a", is: "as wanted", changed: [made] },
      { host: "b", is: "failed", unproven: [made] },
      { host: "c", is: "unreachable" },
      { host: "d", is: "as wanted" },
    ]);
    written(3, "verify", [{ host: "e", is: "failed" }]);
    expect(withLastRun(pattern)).toBe(hosts);
  });

  it("names the hosts of a file by @FILE", () => {
    const file = join(journalDirectory(), "..", "hosts");
    mkdirSync(join(journalDirectory(), ".."), { recursive: true });
    writeFileSync(file, "a, b # of the first rack\n\n# all\nc\n");
    expect(withLastRun(`all,!@${file}`)).toBe("all,!a|b|c");
    writeFileSync(file, "# nobody\n");
    expect(() => withLastRun(`@${file}`)).toThrow(/^@\S+hosts: it names no host$/);
    expect(() => withLastRun("@no-such-file")).toThrow(
      /^@no-such-file: no such file; @failed and @changed are hosts of the last run, and @FILE those that a file names$/,
    );
  });

  it.each([
    ["there is no run", "@failed", () => {}, /no run that changes hosts is written down on this machine/],
    [
      "no host failed",
      "@failed",
      () => written(1, "provision", [{ host: "a", is: "as wanted" }]),
      /^@failed: no host failed in run 20261122-190301-4f2a$/,
    ],
    [
      "the run was killed",
      "@changed",
      () => written(1, "provision", undefined),
      /^@changed: nothing is written of how run 20261122-190301-4f2a ended: see "meshctl runs"$/,
    ],
    ["the run is unknown", "@failed:x", () => {}, /nothing is written of how run x ended/],
  ])("is refused where %s", (_, pattern, before, message) => {
    before();
    expect(() => withLastRun(pattern)).toThrow(message);
  });
});
