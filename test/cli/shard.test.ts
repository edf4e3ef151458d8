import { describe, expect, it } from "vitest";
import { joinReports } from "../../src/cli/join-command.ts";
import { limitOf } from "../../src/cli/load.ts";
import { junitXml } from "../../src/cli/report/junit.ts";
import { ndjsonReporter } from "../../src/cli/report/ndjson.ts";
import { parseShard, shardOf } from "../../src/cli/shard.ts";
import type { HostOutcome } from "../../src/engine/events.ts";

const hosts = ["a", "b", "c", "d", "e", "f", "g"];

describe("a shard", () => {
  it.each([
    ["1/1", "abcdefg"],
    ["1/2", "aceg"],
    ["2/2", "bdf"],
    ["3/3", "cf"],
    ["7/7", "g"],
  ])("%s", (text, names) => {
    expect(shardOf(hosts, parseShard(text)).join("")).toBe(names);
  });

  it.each([1, 2, 3, 4, 5, 6, 7])("of %i: every host is in exactly one", (of) => {
    const parts = Array.from({ length: of }, (_, at) => shardOf(hosts, { at: at + 1, of }));
    expect(parts.flat().sort()).toEqual(hosts);
    const sizes = parts.map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it.each(["0/2", "3/2", "1/0", "2", "a/b", "1/2/3", "-1/2", "1.5/2"])("is not %s", (text) => {
    expect(() => parseShard(text)).toThrow(/like 2\/8/);
  });

  it("is never empty without a word", () => {
    expect(() => shardOf(hosts, { at: 8, of: 9 })).toThrow(/there are 7 hosts, .* say --shard N\/7 at most/);
  });

  it("is one of the hosts that --limit leaves", () => {
    const inventory = {
      groups: new Map([["some", ["b", "c", "d"]]]),
      hosts: new Map(hosts.map((name) => [name, {}])),
    };
    const within = (pattern: string | undefined, text: string) =>
      hosts.filter(limitOf(pattern, inventory, parseShard(text))).join("");
    expect(within("some", "1/2")).toBe("bd");
    expect(within("some", "2/2")).toBe("c");
    expect(within(undefined, "2/2")).toBe("bdf");
  });
});

const outcome = (host: string, is: HostOutcome["is"]): HostOutcome => ({
  ...{ host, is, changed: [], unproven: [], execs: 1 },
  ...(is === "as wanted" ? {} : { because: `${host} is \u0085 not` }),
});
const summary = (outcomes: readonly HostOutcome[], exitCode: number, durationMs = 1000) =>
  ({ event: "summary", exitCode, durationMs, hosts: outcomes }) as const;

describe("reports of shards, joined:", () => {
  const junit = (file: string, ...outcomes: HostOutcome[]) => ({
    file,
    text: junitXml(summary(outcomes, 0, outcomes.length * 1000), [], []),
  });
  const events = (file: string, exitCode: number, ...outcomes: HostOutcome[]) => {
    let text = "";
    const report = ndjsonReporter(file, (line) => {
      text += line;
    });
    report({ event: "run", command: "verify", hosts: outcomes.map(({ host }) => host), steps: [] });
    report(summary(outcomes, exitCode));
    return { file, text };
  };
  const shard = (of: number, at: number, host: string) => {
    let text = "";
    const report = ndjsonReporter(
      host,
      (line) => {
        text += line;
      },
      { shard: { at, of } },
    );
    report(summary([outcome(host, "as wanted")], 0));
    return { file: `${host}.json`, text };
  };
  const junitShard = (of: number, at: number, host: string) => ({
    file: `${host}.xml`,
    text: junitXml(summary([outcome(host, "as wanted")], 0), [], [], { at, of }),
  });
  const recording = (file: string, recorded: string, of: object, shard?: string) => ({
    file,
    text: `${JSON.stringify({ meshctl_recording: 1, recorded, shard, hosts: of }, null, 1)}\n`,
  });

  it("JUnit of all shards, which is of none any more", () => {
    const both = [outcome("a", "as wanted"), outcome("b", "as wanted")];
    expect(joinReports([junitShard(2, 1, "a"), junitShard(2, 2, "b")])).toBe(
      junitXml(summary(both, 0), [], []),
    );
  });

  it("JUnit", () => {
    const a = outcome("a", "as wanted");
    const [b, c] = [outcome("b", "unreachable"), outcome("c", "as wanted")];
    expect(joinReports([junit("1.xml", a), junit("2.xml", b, c)])).toBe(
      junitXml(summary([a, b, c], 0, 2000), [], []),
    );
  });

  it.each([
    ["as wanted and as wanted", "as wanted", 0, "as wanted", 0, 0],
    ["as wanted and drift", "as wanted", 0, "drift", 2, 2],
    ["drift and all unreachable", "drift", 2, "unreachable", 4, 5],
    ["all unreachable and all unreachable", "unreachable", 4, "unreachable", 4, 4],
    ["as wanted and interrupted", "as wanted", 0, "interrupted", 130, 130],
    ["as wanted, though not all was told", "as wanted", 1, "as wanted", 0, 1],
  ] as const)("events, %s", (_, one, oneCode, other, otherCode, code) => {
    const text = joinReports([
      events("1.json", oneCode, outcome("a", one)),
      events("2.json", otherCode, outcome("b", other)),
    ]);
    const lines = text.trimEnd().split("\n");
    const told = lines.map((line) => JSON.parse(line));
    expect(told.map(({ event }) => event)).toEqual(["run", "run", "summary"]);
    expect(told[2]).toMatchObject({ exit_code: code, hosts: [{ host: "a", outcome: one }, { host: "b" }] });
    expect(text).not.toContain("\u0085");
  });

  it("events of every shard, which are a part of nothing then", () => {
    const told = JSON.parse(joinReports([shard(2, 2, "b"), shard(2, 1, "a")]));
    expect(told).toMatchObject({ exit_code: 0, hosts: [{ host: "b" }, { host: "a" }] });
    expect(told).not.toHaveProperty("shard");
    // What was joined may be joined again.
    expect(Object.keys(told)[0]).toBe("v");
  });

  it("recordings, a host in two of them by whom it was asked most", () => {
    const is = (...value: string[]) => ({ is: "value", value });
    const text = joinReports([
      recording("1.json", "2026-01-02T00:00:00Z", {
        a: { answers: { clock: is("1"), boot: is("1") } },
        b: { answers: { clock: is("1"), peer: is("1") } },
        c: { unreachable: "it is off" },
      }),
      recording("2.json", "2026-01-01T00:00:00Z", {
        b: { answers: { clock: is("2"), boot: is("2"), file: is("2") } },
        c: { answers: { clock: is("2") } },
      }),
    ]);
    expect(JSON.parse(text)).toEqual({
      meshctl_recording: 1,
      recorded: "2026-01-01T00:00:00Z",
      hosts: {
        a: { answers: { clock: is("1"), boot: is("1") } },
        b: { answers: { clock: is("2"), boot: is("2"), file: is("2"), peer: is("1") } },
        c: { answers: { clock: is("2") } },
      },
    });
  });

  const a = outcome("a", "as wanted");
  it.each([
    ["a host twice in JUnit", [junit("1.xml", a), junit("2.xml", a)], /^a is in 1\.xml and in 2\.xml$/],
    ["a host twice in events", [events("1.json", 0, a), events("2.json", 0, a)], /^a is in 1\.json and in 2/],
    [
      "kinds mixed",
      [junit("1.xml", a), events("2.json", 0, a)],
      /1\.xml is a JUnit report, and 2\.json is a list/,
    ],
    ["a shard less", [shard(3, 1, "a"), shard(3, 3, "c")], /^shard 2\/3 is missing/],
    ["a shard less of JUnit", [junitShard(2, 1, "a")], /^shard 2\/2 is missing/],
    [
      "a shard less of recordings",
      [recording("1.json", "2026-01-01T00:00:00Z", {}, "1/2")],
      /^shard 2\/2 is m/,
    ],
    ["shards of two kinds", [shard(2, 1, "a"), shard(2, 2, "b"), shard(3, 3, "c")], /^shard 1\/3, 2\/3 is m/],
    ["something else", [{ file: "x", text: "hello" }], /^x is none of what verify and plan write/],
    [
      "JUnit that is cut",
      [{ file: "x", text: junit("x", a).text.slice(0, -20) }],
      /^x: it is no whole report/,
    ],
    [
      "events without an end",
      [{ file: "x", text: events("x", 0, a).text.split("\n")[0]! }],
      /^x: its run has not ended/,
    ],
    [
      "events that are cut",
      [{ file: "x", text: events("x", 0, a).text.slice(0, -9) }],
      /^x: its last line is cut/,
    ],
    ...["null", '{"v":1,"event":"summary","hosts":3}', '{"v":1,"event":"summary","hosts":[null]}'].map(
      (last): [string, { file: string; text: string }[], RegExp] => [
        `events that end with ${last}`,
        [{ file: "x", text: `${events("x", 0, a).text.split("\n")[0]}\n${last}\n` }],
        /^x: its run has not ended/,
      ],
    ),
    [
      "a recording of no moment",
      [recording("x", "yesterday", {})],
      /^x: it is none that --record wrote: recorded: expected a moment/,
    ],
    [
      "a recording of another form",
      [{ file: "x", text: '{"meshctl_recording":2}' }],
      /^x: it is none that --record/,
    ],
  ])("refused: %s", (_, parts, words) => {
    expect(() => joinReports(parts)).toThrow(words);
  });
});
