import { describe, expect, it } from "vitest";
import { ndjsonReporter } from "../../src/cli/report/ndjson.ts";
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
});
