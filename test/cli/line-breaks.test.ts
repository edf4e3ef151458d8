import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { junitXml } from "../../src/cli/report/junit.ts";
import { evidenceTable, keyedRow } from "../../src/cli/ui/evidence-table.ts";
import { explanation } from "../../src/cli/ui/explanation.ts";
import { keptView } from "../../src/cli/ui/kept-view.ts";
import { planView } from "../../src/cli/ui/plan-view.ts";
import { probeView } from "../../src/cli/ui/probe-view.ts";
import { Progress } from "../../src/cli/ui/progress.ts";
import { problemsView, statusView } from "../../src/cli/ui/status-view.ts";
import { summaryView } from "../../src/cli/ui/summary.ts";
import { commandLine } from "../../src/command-line.ts";
import type { Change } from "../../src/contract/change.ts";
import type { RunEvent } from "../../src/engine/events.ts";
import { HostUnreachable } from "../../src/errors.ts";
import { judge } from "../../src/evidence/verdict.ts";
import type { MeshStatus } from "../../src/status/mesh-status.ts";

const FORGED = "  ✓ all 212 settings proven";
const BREAKS = [
  "\n",
  "\r\n",
  "\n\n",
  "\r",
  "\u2028",
  "\u2029",
  "\u0085",
  "\u000b",
  "\u000c",
  "\n\u001b[2K\u001b[1A",
];
/** What a host may say: a block of another host, behind every line break that there is. */
const LIES = BREAKS.map((end) => `drift${end}kvm-01${end}${FORGED}${end}`);

const paint = new Chalk({ level: 0 });
const options = { paint, columns: 120, verbose: true };

const evidenceOf = (lie: string) => ({
  host: "kvm-02",
  step: "haproxy",
  evidence: judge({
    setting: lie,
    want: lie,
    onDisk: { is: "read", value: lie, source: lie },
    inForce: { is: "unreadable", because: lie, source: lie },
    because: lie,
    warning: lie,
    diff: { path: lie, was: lie, want: `${lie}\nx` },
  }),
});

const changeOf = (lie: string): Change => ({
  id: lie,
  why: lie,
  warning: lie,
  disrupts: { kind: "restart", what: lie },
  commands: [
    { kind: "write", path: lie, content: [`${lie}\nx`], mode: "0644", owner: "root:root", was: lie },
    { kind: "remove", path: lie, was: lie },
    { kind: "adopt", path: lie },
    { kind: "install", packages: [lie] },
    { kind: "run", argv: [lie, lie], timeoutMs: 1 },
  ],
  activate: [],
});

const made = (lie: string) => ({ step: "haproxy", change: lie, why: lie });

const summaryOf = (lie: string) => ({
  event: "summary" as const,
  exitCode: 1,
  durationMs: 1,
  hosts: [
    {
      host: "kvm-02",
      is: "failed" as const,
      because: lie,
      changed: [made(lie)],
      unproven: [made(lie)],
      execs: 1,
    },
  ],
});

const statusOf = (lie: string): MeshStatus => ({
  problems: [
    {
      kind: "down",
      hosts: ["kvm-02"],
      what: lie,
      evidence: lie,
      next: commandLine("meshctl", "verify", lie),
    },
  ],
  ensemble: {
    members: [{ host: "kvm-02", role: lie, serves: false, because: lie }],
    serving: 0,
    majority: 1,
    hasQuorum: false,
    synced: undefined,
  },
  services: [
    {
      name: "api",
      front: "127.0.0.1:1",
      path: "/x",
      names: undefined,
      registered: 1,
      skipped: [lie],
      leftOut: [{ node: lie, because: lie, isBackend: true }],
      backends: [{ name: lie, origin: "registered", on: new Map([["kvm-02", "down"]]) }],
    },
  ],
  proxies: [
    {
      host: "kvm-02",
      unread: lie,
      haproxy: undefined,
      watcher: { is: "stopped", ageSeconds: 1, sessions: [lie], candidate: "invalid", reload: "ok" },
      counts: { up: 0, down: 1, missing: 0, stale: 0, altered: 0, weightless: 0 },
    },
  ],
});

/** What progress writes, with and without a terminal's live line. */
function progressOf(lie: string, isTTY: boolean): string {
  let text = "";
  const write = (part: string) => (text += part);
  const stream = { isTTY, columns: 400, write } as unknown as NodeJS.WriteStream;
  const progress = new Progress(stream, options);
  const on = { host: "kvm-02", step: "haproxy" };
  const events: RunEvent[] = [
    { event: "run", command: "provision", hosts: ["kvm-02"], steps: [] },
    { event: "note", text: lie },
    { event: "unreachable", host: "kvm-03", error: new HostUnreachable("kvm-03", "connect", lie) },
    { event: "changing", ...on, change: changeOf(lie) },
    { event: "waiting", host: "kvm-02", because: lie },
    { event: "waiting", ...on, because: lie },
    { event: "changed", ...on, change: changeOf(lie), durationMs: 1 },
    { event: "putting-back", ...on, because: lie, files: [lie] },
    { event: "failed", ...on, because: lie, output: lie },
    summaryOf(lie),
  ];
  for (const event of events) progress.see(event);
  return text;
}

const VIEWS: Readonly<Record<string, (lie: string) => string>> = {
  "the evidence table": (lie) => evidenceTable([keyedRow(evidenceOf(lie), options)], options),
  "the short evidence table": (lie) =>
    evidenceTable([keyedRow(evidenceOf(lie), options)], { ...options, verbose: false }),
  "the explanation": (lie) => explanation([evidenceOf(lie)], paint),
  "the plan": (lie) => planView(new Map([["kvm-02", [{ step: "haproxy", change: changeOf(lie) }]]]), options),
  "the summary": (lie) => summaryView(summaryOf(lie), paint),
  "the status": (lie) => statusView(statusOf(lie), options),
  "the problems": (lie) => problemsView(statusOf(lie).problems, options),
  "the probe": (lie) =>
    probeView(
      {
        service: "api",
        canary: { host: "kvm-02", address: "10.0.0.2", port: 1 },
        proxies: [{ host: "kvm-02", servedMs: undefined, goneMs: undefined, because: lie }],
      },
      { paint },
    ),
  "the list of runs": (lie) =>
    keptView([{ host: "kvm-02", of: lie, files: [{ step: lie, path: lie, adopted: lie }] }], [], paint),
  "the progress": (lie) => progressOf(lie, false),
  "the progress on a terminal": (lie) => progressOf(lie, true),
};

/** Where lines end for whoever looks at them: a terminal, an editor, a CI's web page. */
const LINES = /\r\n|[\n\r\u000b\u000c\u0085\u2028\u2029]/;

describe.each(Object.entries(VIEWS))("in %s", (_, view) => {
  it("no line is what a host wants it to be", () => {
    for (const lie of LIES) {
      const lines = view(lie).split(LINES);
      expect(lines.join("\n")).toContain("all 212");
      // In a diff or an output such a line stands under an indent that is none of ours elsewhere.
      for (const line of lines) expect(line).not.toMatch(/^ {0,5}[-+]?\s?(?:kvm-01|✓ all)/);
    }
  });
});

it("in a JUnit report the lines about a setting are ours", () => {
  for (const lie of LIES) {
    const row = { event: "evidence" as const, ...evidenceOf(lie) };
    const failed = { event: "failed" as const, host: "kvm-02", step: "haproxy", because: lie };
    const lines = junitXml(summaryOf(lie), [row], [failed]).split(LINES);
    for (const line of lines) expect(line).not.toMatch(/^\s*(kvm-01|✓)/);
  }
});
