import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ndjsonReporter } from "../../src/cli/report/ndjson.ts";
import type { RunEvent } from "../../src/engine/events.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/json.md", root), "utf8");
const at = { host: "a", step: "s" } as const;
const change = { id: "c", why: "w", commands: [], activate: [], warning: "x" };
const layer = { is: "read", value: "1", source: "x" } as const;
const hook = { command: "true", timeoutMs: 1, per: "host" } as const;
const timed = { durationMs: 1 };

/** One of each event, with all that it may have. */
const EVENTS: { readonly [Event in RunEvent["event"]]: Extract<RunEvent, { event: Event }> } = {
  run: { event: "run", command: "plan", hosts: ["a"], steps: ["s"] },
  observed: { event: "observed", host: "a", ...timed },
  unreachable: {
    ...{ event: "unreachable", host: "a" },
    error: Object.assign(new Error("away"), { stage: "connect" }),
  },
  evidence: {
    ...{ event: "evidence", ...at },
    evidence: {
      ...{ setting: "x", want: "1", onDisk: layer, inForce: layer, verdict: "different", because: "y" },
      ...{ warning: "z", diff: { path: "/x", was: "2", want: "1" }, boot: { is: "proved", words: "x" } },
    },
  },
  boot: { event: "boot", host: "a", boot: { is: "unknown", because: "x" } },
  planned: { event: "planned", ...at, change, drain: "x" },
  waves: { event: "waves", step: "s", waves: [["a"]], holdMs: 1 },
  hooks: { event: "hooks", step: "s", hosts: ["a"], hooks: { before: [hook], after: [] } },
  hook: {
    ...{ event: "hook", ...at, when: "before", per: "host", wave: ["a"], command: "true", is: "failed" },
    ...{ because: "x", ...timed },
  },
  gate: {
    ...{ event: "gate", step: "s", wave: ["a"], begun: true, lookedAt: ["a"], is: "passed" },
    ...{ worse: [], notCompared: [], ...timed },
  },
  drain: { event: "drain", ...at, is: "kept", because: "x", ...timed },
  step: { event: "step", step: "s", title: "t", hosts: ["a"] },
  changing: { event: "changing", ...at, change },
  waiting: { event: "waiting", ...at, because: "x" },
  changed: { event: "changed", ...at, change, ...timed },
  failed: { event: "failed", ...at, because: "x", output: "y" },
  "putting-back": { event: "putting-back", ...at, because: "x", files: ["/x"] },
  "put-back": { event: "put-back", ...at, files: ["/x"], health: "healthy", because: "x" },
  kept: { event: "kept", host: "a", of: "r", files: [{ step: "s", path: "/x", adopted: "1" }] },
  note: { event: "note", host: "a", text: "x" },
  summary: {
    ...{ event: "summary", exitCode: 0, ...timed },
    hosts: [{ host: "a", is: "drift", because: "x", changed: [], unproven: [], execs: 1 }],
  },
};

it.each(Object.keys(EVENTS) as RunEvent["event"][])("docs/json.md tells every field of %s", (name) => {
  const lines: string[] = [];
  ndjsonReporter("r", (line) => lines.push(line), { shard: { at: 1, of: 2 } })(EVENTS[name]);
  const { v, ts, run, event, ...fields } = JSON.parse(lines[0]!);
  expect([v, event]).toEqual([1, name]);
  const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``));
  const keys = [
    ...Object.keys(fields),
    ...Object.keys(fields.hosts?.[0] ?? {}).filter((key) => /\D/.test(key)),
  ];
  expect(keys.filter((key) => !row?.includes(`\`${key}\``))).toEqual([]);
});

it.each([
  "asked",
  "problem",
  "ensemble",
  "service",
  "proxy",
  "canary",
  "probe",
  "probed",
  "valid",
  "mistake",
])("docs/json.md tells of %s", (name) => expect(page).toContain(`\`${name}\``));
