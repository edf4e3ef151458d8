import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { type EvidenceRow, evidenceTable, foldedRows, keyedRow } from "../../src/cli/ui/evidence-table.ts";
import { folded, someNames, withoutOwn } from "../../src/cli/ui/fold.ts";
import { summaryView } from "../../src/cli/ui/summary.ts";
import type { Evidence } from "../../src/contract/reading.ts";
import type { HostOutcome } from "../../src/engine/events.ts";

const paint = new Chalk({ level: 0 });
const names = (count: number, from = 1) =>
  Array.from({ length: count }, (_, at) => `px-${String(from + at).padStart(3, "0")}`);

function row(
  host: string,
  setting: string,
  found: string,
  verdict: Evidence["verdict"] = "proven",
): EvidenceRow {
  const layer = { is: "read", value: found, source: "a file" } as const;
  const because = verdict === "proven" ? {} : { because: `it is ${found}` };
  return {
    host,
    step: "sysctl",
    evidence: { setting, want: "1", onDisk: layer, inForce: layer, verdict, ...because },
  };
}

describe("rows of hosts", () => {
  const alike = (hosts: readonly string[]) =>
    hosts.flatMap((host) => [row(host, "a", "1"), row(host, "b", "1")]);
  const addressesOf = (host: string) => [`10.0.0.${Number(host.slice(3))}`];
  const shown = (rows: readonly EvidenceRow[], exactly = false) =>
    foldedRows(rows.map((each) => keyedRow(each, { verbose: exactly, addressesOf }))).map(
      ({ host, rows, more }) => ({
        host,
        rows: rows.map(({ evidence }) => evidence.setting).join(" "),
        more: more.join(),
      }),
    );

  it.each([
    ["three are shown each", alike(names(3)), names(3).map((host) => ({ host, rows: "a b", more: "" }))],
    [
      "four are shown once",
      alike(names(4)),
      [{ host: "px-001", rows: "a b", more: "as on px-001: 3 hosts: px-002, px-003, px-004" }],
    ],
    [
      "one that differs is shown with what differs",
      [...alike(names(4)), row("z", "a", "1"), row("z", "b", "0", "different")],
      [
        { host: "px-001", rows: "a b", more: "as on px-001: 3 hosts: px-002, px-003, px-004" },
        { host: "z", rows: "b", more: "as on px-001: 1 row" },
      ],
    ],
    [
      "one with a row more is shown with that",
      [...alike(names(4)), ...alike(["z"]), row("z", "c", "1")],
      [
        { host: "px-001", rows: "a b", more: "as on px-001: 3 hosts: px-002, px-003, px-004" },
        { host: "z", rows: "c", more: "as on px-001: 2 more rows" },
      ],
    ],
    [
      "one that has nothing in common is shown whole",
      [...alike(names(4)), row("z", "c", "1")],
      [
        { host: "px-001", rows: "a b", more: "as on px-001: 3 hosts: px-002, px-003, px-004" },
        { host: "z", rows: "c", more: "" },
      ],
    ],
    [
      "what is wrong in different ways is not alike",
      names(4).map((host, at) => row(host, "a", `${at}`, "different")),
      names(4).map((host) => ({ host, rows: "a", more: "" })),
    ],
  ])("%s", (_, rows, expected) => {
    expect(shown(rows)).toEqual(expected);
  });

  it("are alike although what was found differs, unless all is to be shown", () => {
    const rows = names(4).map((host, at) => row(host, "clock", `${at} ms ahead`));
    expect(shown(rows)).toHaveLength(1);
    expect(shown(rows, true)).toHaveLength(4);
  });

  it.each(["proven", "different"] as const)(
    "are alike where each is %s by its own name and address",
    (verdict) => {
      const rows = (last: string) =>
        names(4).map((host, at) => {
          const address = at === 3 ? last : `10.0.0.${at + 1}`;
          const { evidence, ...each } = row(host, "address", "", verdict);
          const words = `${address} on ${host}`;
          return {
            ...each,
            evidence: { ...evidence, want: words, ...(verdict === "proven" ? {} : { because: words }) },
          };
        });
      expect(shown(rows("10.0.0.4"))).toHaveLength(1);
      expect(shown(rows("10.0.0.9"))).toHaveLength(4);
    },
  );

  it("take a line for hundreds of hosts", () => {
    const rows = alike(names(498)).map((each) => keyedRow(each, { verbose: false }));
    const text = evidenceTable(rows, { paint, columns: 120, verbose: false });
    expect(text.split("\n")).toHaveLength(5);
    expect(text).toMatch(/as on px-001: 497 hosts: px-002, .* and \d+ more$/);
  });
});

describe("the summary of 500 hosts", () => {
  const rest = { changed: [], unproven: [], execs: 1 };
  const outcomes = (
    hosts: readonly string[],
    outcome: (host: string) => Pick<HostOutcome, "is" | "because">,
  ) => hosts.map((host): HostOutcome => ({ host, ...rest, ...outcome(host) }));
  const wrapped = (text: string) => text.split("\n").flatMap((line) => line.match(/.{1,80}/g) ?? [""]);

  it("fits a screen where they are alike", () => {
    const hosts = [
      ...outcomes(names(450), () => ({ is: "as wanted" })),
      ...outcomes(names(20, 451), (host) => ({
        is: "unreachable",
        because: `connect: 198.18.1.${host.slice(3)} port 22 refused the connection: is sshd running there, on this port? (ECONNREFUSED)`,
      })),
      ...outcomes(names(30, 471), () => ({
        is: "drift",
        because: "sysctl: net.ipv4.ip_forward: it is 1, not 0",
      })),
    ];
    const lines = wrapped(summaryView({ hosts, durationMs: 14_000, exitCode: 5 }, paint));
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.join("")).toContain("450 as wanted, 30 drift, 20 unreachable");
    expect(lines.join("")).toMatch(/px-451, .* and 14 more {2}unreachable .* \(and so the others\)/);
  });

  it("tells values that differ, however many", () => {
    const hosts = outcomes(names(6), (host) => ({
      is: "drift",
      because: `sysctl: a: it is ${host.slice(5)}, not 0`,
    }));
    const text = summaryView({ hosts, durationMs: 1, exitCode: 2 }, paint);
    for (const value of [1, 2, 3, 4, 5, 6]) expect(text).toContain(`it is ${value}, not 0`);
  });
});

it("the summary of many hosts tells each address that is another's", () => {
  const hosts = names(5).map((host, at): HostOutcome => {
    const because = `10.0.0.${at} serves no 10.0.1.${at}`;
    return { host, is: "drift", because, changed: [], unproven: [], execs: 1 };
  });
  const summary = (of: readonly HostOutcome[]) =>
    summaryView({ hosts: of, durationMs: 1, exitCode: 2 }, paint, (host) => [
      `10.0.0.${names(5).indexOf(host)}`,
    ]);
  for (const at of [0, 1, 2, 3, 4]) expect(summary(hosts)).toContain(`serves no 10.0.1.${at}`);
  const alike = hosts.map((host) => ({ ...host, because: host.because!.replace(/1\.\d$/, "1.9") }));
  expect(summary(alike)).toContain("10.0.0.0 serves no 10.0.1.9 (and so the others)");
});

describe("folding", () => {
  it("keeps the order of the first of each", () => {
    const groups = folded(["b1", "a1", "b2", "a2", "b3", "b4"], (item) => item[0]!);
    expect(groups.map(({ all }) => all.join(" "))).toEqual(["b1 b2 b3 b4", "a1 a2"]);
  });

  it.each([
    [["a", "b"], "a, b"],
    [names(4), "px-001, px-002, px-003, px-004"],
    [names(500), "px-001, px-002, px-003, px-004, px-005, px-006 and 494 more"],
    [["a-name-that-is-longer-than-all-the-room-that-there-is-for-names-in-a-line", ...names(4)], undefined],
  ])("names hosts in a row, %#", (hosts, text) => {
    expect(someNames(hosts)).toBe(text ?? `${hosts[0]} and 4 more`);
  });

  it.each([
    ["connect: 10.0.0.7 port 22 is silent", "connect: ADDRESS port 22 is silent"],
    ["10.0.0.7 does not reach 10.0.0.8", "ADDRESS does not reach 10.0.0.8"],
    ["a was rebooted at 2026-01-02 03:04", "HOST was rebooted at MOMENT"],
    ["it is 61, not 15", "it is 61, not 15"],
  ])("leaves out of %j what is a host's own", (words, without) => {
    expect(withoutOwn(words, "a", (address) => address === "10.0.0.7")).toBe(without);
  });
});
