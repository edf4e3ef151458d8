import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Command } from "../../src/contract/change.ts";
import { type BootRecord, bootOf, bootPaths, bootRecordsOf, bootWords } from "../../src/engine/boot.ts";
import { bootItems } from "../../src/engine/boot-items.ts";
import { bootRow } from "../../src/engine/boot-row.ts";
import type { Answer } from "../../src/reader/answer.ts";
import type { BootReading } from "../../src/reader/reader.ts";
import { scriptText } from "../../src/script-text.ts";

const AT = Date.UTC(2026, 10, 26, 10, 41, 7) / 1000;
const read = (...changes: BootReading["changes"]): Answer<BootReading> => ({
  is: "value",
  value: { bootedAt: AT - 600, bootedAtThen: AT - 600, count: changes.length, changes },
});
const record = (boot: string, what = "/etc/x.conf"): BootRecord => ({ boot, at: AT, what });
const late = { is: "unreadable", because: "it took more than 5 s" } as const;

describe("what boots", () => {
  it.each<[string, readonly BootRecord[], Answer<BootReading>, string, RegExp]>([
    [
      "nothing was changed since the boot",
      [record("old")],
      read(),
      "proved",
      /^proved by the boot of 2026-11-26 10:31 UTC$/,
    ],
    ["no boot is on record", [], read(), "proved", /^proved/],
    [
      "meshctl changed a file in this boot",
      [record("now")],
      read(),
      "inferred",
      /^not rebooted since 2026-11-26 10:41: what boots is inferred from its files \(.*: \/etc\/x\.conf\)$/,
    ],
    [
      "the kernel knows of a later change, by anybody",
      [record("old")],
      read({ what: "/etc/fstab", at: AT + 60 }),
      "inferred",
      /^not rebooted since 2026-11-26 10:42: .*\/etc\/fstab/,
    ],
    ["the changes were not read", [record("old")], late, "unknown", /were not read: it took more than 5 s/],
    [
      "the changes were not read, but one of meshctl's is on record",
      [record("now")],
      late,
      "inferred",
      /x\.conf/,
    ],
  ])("where %s", (_, records, changes, is, words) => {
    const boot = bootOf("now", records, changes, []);
    expect(boot.is).toBe(is);
    expect(bootWords(boot)).toMatch(words);
  });

  it("names what was changed last, and no folder beside what is in it", () => {
    const boot = bootOf(
      "now",
      [],
      read(
        { what: "/etc/a.d/b", at: AT },
        { what: "/etc/a.d", at: AT },
        { what: "package c", at: AT - 1 },
        { what: "/etc/d", at: AT - 2 },
        { what: "/etc/e", at: AT - 3 },
      ),
      [],
    );
    expect(bootWords(boot)).toContain("/etc/a.d/b, package c, /etc/d and 2 more");
  });

  it("does not go by what a service writes as it runs", () => {
    const rewritten = ["/etc/haproxy/haproxy.cfg"];
    expect(bootOf("now", [record("now", rewritten[0])], read(), rewritten).is).toBe("proved");
    const paths = bootPaths(
      [rewritten[0]!, "/etc/haproxy", "/etc/haproxy/errors", "/proc/1/limits", "/etc/hosts"],
      ["/var/lib/zookeeper/myid", "/var/lib/meshctl/sysctl-before", rewritten[0]!],
      rewritten,
    );
    expect(paths).toEqual(["/etc/haproxy/errors", "/var/lib/zookeeper/myid"]);
  });

  it("that is not proved is drift with the command that proves it, and unknown where it was not read", () => {
    const row = (boot: Parameters<typeof bootRow>[1]) => bootRow("kvm-01", boot);
    expect(row(bootOf("now", [], read(), [])).verdict).toBe("proven");
    expect(row(bootOf("now", [record("now")], read(), []))).toMatchObject({
      verdict: "different",
      because: expect.stringMatching(/meshctl reboot -l kvm-01$/),
    });
    expect(row(bootOf("now", [], late, [])).verdict).toBe("unknown");
  });
});

describe("what a change does to it", () => {
  const write = (path: string): Command => ({
    kind: "write",
    path,
    content: [],
    mode: "0644",
    owner: "root:root",
  });
  const run = (...argv: [string, ...string[]]): Command => ({ kind: "run", argv, timeoutMs: 1 });

  it.each<[string, Command, readonly string[]]>([
    ["a file", write("/etc/x"), ["file /etc/x"]],
    ["a file of meshctl's own records", write("/var/lib/meshctl/x"), []],
    ["packages", { kind: "install", packages: ["a", "b"] }, ["package a", "package b"]],
    ["a unit that is enabled", run("systemctl", "enable", "--quiet", "x.service"), ["unit x.service"]],
    [
      "one that is disabled and stopped",
      run("systemctl", "disable", "--now", "x.service"),
      ["unit x.service"],
    ],
    ["a restart", run("systemctl", "restart", "x.service"), []],
    ["a daemon-reload", run("systemctl", "daemon-reload"), []],
  ])("%s", (_, command, items) => {
    expect(bootItems({ commands: [command], activate: [] })).toEqual(items);
  });
});

describe("the record of it", () => {
  const directory = mkdtempSync(join(tmpdir(), "meshctl-boots-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const script = ["../../src/host/manifest.sh", "../../src/engine/commands/changed.sh"]
    .map((name) => scriptText(new URL(name, import.meta.url)))
    .join("\n")
    .replaceAll("/var/lib/meshctl", directory);
  const change = (...items: string[]) => execFileSync("sh", ["-s", "--", ...items], { input: script });
  const file = join(directory, "boots");
  const records = () => bootRecordsOf(readFileSync(file, "utf8"));

  it("keeps the last boot in which each item was changed", () => {
    writeFileSync(file, "old 5 file /etc/a b\nold 6 package c\n");
    change("file /etc/a b", "unit d.service");
    change("unit d.service", "file /etc/%s");
    const thisBoot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    expect(records().map(({ boot, what }) => [boot, what])).toEqual([
      ["old", "package c"],
      [thisBoot, "/etc/a b"],
      [thisBoot, "d.service"],
      [thisBoot, "/etc/%s"],
    ]);
  });

  it("that is no line of it is none", () => {
    expect(bootRecordsOf("\nx\nold y file /etc/a\nold 5 thing /etc/a\n")).toEqual([]);
  });
});
