import { describe, expect, it } from "vitest";
import { ndjsonReporter } from "../../src/cli/report/ndjson.ts";
import type { Change } from "../../src/contract/change.ts";
import { Secret } from "../../src/secret.ts";

function linesOf(events: Parameters<ReturnType<typeof ndjsonReporter>>[0][]) {
  const text: string[] = [];
  const report = ndjsonReporter("20261122-190312-4f2a", (line) => text.push(line));
  for (const event of events) report(event);
  return { text: text.join(""), lines: text.map((line) => JSON.parse(line)) };
}

describe("JSON events", () => {
  it("carry no secret, whatever characters it has", () => {
    const secrets = ['qu"ote', "back\\slash", "new\nline", "1"].map((value) => new Secret(value));
    const because = secrets.map((secret) => secret.reveal()).join(" and ");
    const { text, lines } = linesOf([{ event: "failed", host: "a", step: "s", because, output: because }]);
    expect(lines).toHaveLength(1);
    expect(lines[0].v).toBe(1);
    for (const part of ["qu", "slash", "line"]) expect(text).not.toContain(part);
  });

  it("name the files that a change writes, removes and puts back", () => {
    const written = { kind: "write", path: "/w", content: [], mode: "0644", owner: "root:root" } as const;
    const back = { kind: "restore", path: "/b", from: "r", expected: "1", before: "2" } as const;
    const commands = [
      { ...written, was: undefined },
      { kind: "remove", path: "/r" },
      { ...back, diff: { path: "/b", was: "1", want: "2" } },
      { kind: "install", packages: ["p"] },
    ] as const;
    const change = { id: "c", why: "w", commands, activate: [] };
    const { lines } = linesOf([{ event: "planned", host: "a", step: "s", change }]);
    expect(lines[0].files).toEqual(["/w", "/r", "/b"]);
  });

  it("end with a summary that names what was proved and what was not", () => {
    const made = { step: "s", change: "c", why: "w" };
    const host = {
      host: "a",
      is: "failed",
      because: "x",
      changed: [made],
      unproven: [made],
      execs: 2,
    } as const;
    const { lines } = linesOf([{ event: "summary", exitCode: 5, durationMs: 3, hosts: [host] }]);
    expect(lines[0]).toMatchObject({
      event: "summary",
      exit_code: 5,
      hosts: [{ host: "a", outcome: "failed", because: "x", changed: [made], unproven: [made], execs: 2 }],
    });
    expect(lines[0].hosts[0]).not.toHaveProperty("is");
  });

  it("tell what is worse after a wave, and how long it was watched", () => {
    const worse = [{ host: "a", step: "w", what: "server x", is: "bad", because: "is DOWN" }] as const;
    const notCompared = [{ host: "b", step: "w", what: "w", because: "no answer" }];
    const { lines } = linesOf([
      {
        event: "gate",
        step: "s",
        wave: ["a"],
        begun: true,
        lookedAt: ["a", "b"],
        is: "failed",
        worse,
        notCompared,
        durationMs: 1.4,
      },
      { event: "waves", step: "s", waves: [["a"]], holdMs: 30_000 },
    ]);
    expect(lines[0]).toMatchObject({
      event: "gate",
      wave: ["a"],
      begun: true,
      looked_at: ["a", "b"],
      worse,
      not_compared: notCompared,
      duration_ms: 1,
    });
    expect(lines[0]).not.toHaveProperty("notCompared");
    expect(lines[1]).toMatchObject({ event: "waves", waves: [["a"]], hold_ms: 30_000 });
  });

  it("tell what becomes of a host's backends, planned and done", () => {
    const disrupts = { kind: "restart", what: "haproxy.service", drains: true } as const;
    const change: Change = { id: "c", why: "it differs", disrupts, commands: [], activate: [] };
    const { lines } = linesOf([
      { event: "planned", host: "a", step: "s", change, drain: "they leave" },
      { event: "drain", host: "a", step: "s", is: "kept", because: "nobody else serves", durationMs: 1.4 },
    ]);
    expect(lines[0]).toMatchObject({ event: "planned", disrupts, drain: "they leave" });
    expect(lines[1]).toMatchObject({
      event: "drain",
      host: "a",
      is: "kept",
      because: "nobody else serves",
      duration_ms: 1,
    });
    expect(lines[1]).not.toHaveProperty("durationMs");
  });

  it("tells of commands around a step's changes, planned and run", () => {
    const command = "drain";
    const hook = {
      event: "hook",
      host: "a",
      step: "s",
      when: "before",
      per: "host",
      wave: ["a"],
      command,
    } as const;
    const hooks = { before: [{ command, timeoutMs: 60_000, per: "host" as const }], after: [] };
    const { lines } = linesOf([
      { event: "hooks", step: "s", hosts: ["a"], hooks },
      { ...hook, is: "begun" },
      { ...hook, is: "failed", because: "it said no", durationMs: 1.4 },
    ]);
    const before = [{ command, timeout_ms: 60_000, per: "host" }];
    expect(lines[0]).toMatchObject({ event: "hooks", step: "s", hosts: ["a"], before, after: [] });
    // Every event of a run has the run's name there.
    const told = { event: "hook", host: "a", step: "s", when: "before", run: lines[0].run, command };
    expect(lines[1]).toMatchObject({ ...told, is: "begun" });
    expect(lines[2]).toMatchObject({ ...told, is: "failed", because: "it said no", duration_ms: 1 });
  });
});
