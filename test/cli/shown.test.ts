import { describe, expect, it } from "vitest";
import { ndjsonReporter } from "../../src/cli/report/ndjson.ts";
import { shownData } from "../../src/cli/shown.ts";
import type { Change, Command } from "../../src/contract/change.ts";
import type { RunEvent } from "../../src/engine/events.ts";
import { HostUnreachable } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";

const steering = "\u001b[2J\u001b]0;x\u0007\r\u009b1m\u007f\u202eabc";

describe("an event that holds what a host said", () => {
  it("is shown with everything visible that would steer a terminal", () => {
    expect(shownData({ event: "note", text: `a\tb\n${steering}` })).toEqual({
      event: "note",
      text: "a\tb↵␛[2J␛]0;x␇␍�1m␡�abc",
    });
  });

  it("keeps the lines of files, diffs and outputs, and of nothing else", () => {
    const lines = "a\r\nb\u2028c";
    const diff = { path: lines, was: lines, want: lines };
    const evidence = { want: lines, because: lines, diff };
    expect(shownData({ evidence, output: lines, content: [lines], on: new Map([[lines, lines]]) })).toEqual({
      evidence: {
        want: "a↵b↵c",
        because: "a↵b↵c",
        diff: { path: "a↵b↵c", was: "a␍\nb\ufffdc", want: "a␍\nb\ufffdc" },
      },
      output: "a␍\nb\ufffdc",
      content: ["a␍\nb\ufffdc"],
      on: new Map([["a↵b↵c", "a↵b↵c"]]),
    });
  });

  it("is shown so however deep the text is, errors' too", () => {
    const error = new HostUnreachable("a", "connect", `connect: ${steering}`);
    const shown = shownData({ event: "unreachable", host: "a", error }) as RunEvent & {
      event: "unreachable";
    };
    expect(shown.error).toBeInstanceOf(HostUnreachable);
    expect(shown.error).toMatchObject({ stage: "connect", message: "connect: ␛[2J␛]0;x␇␍�1m␡�abc" });
    const change: Change = {
      id: "\u001b",
      why: "",
      commands: [{ kind: "run", argv: ["\u001b"], timeoutMs: 1 }],
      activate: [],
    };
    expect(shownData({ event: "planned", host: "a", step: "s", change })).toMatchObject({
      change: { id: "␛", commands: [{ argv: ["␛"] }] },
    });
  });

  it("is shown without the secrets in it", () => {
    const secret = new Secret("s3cret-of-an-event");
    const content = ["password=", secret];
    const command: Command = {
      kind: "write",
      path: "/etc/x",
      content,
      mode: "0600",
      owner: "root:root",
      was: "password=s3cret-of-an-event",
    };
    const change = { id: "x", why: "s3cret-of-an-event", commands: [command], activate: [] };
    const shown = shownData({ event: "planned", host: "a", step: "s", change });
    expect(JSON.stringify(shown)).not.toContain("s3cret-of-an-event");
    expect(shown).toMatchObject({ change: { commands: [{ content: ["password=", secret] }] } });
  });

  it("is one line of JSON that no terminal obeys, and that means the same", () => {
    const lines: string[] = [];
    ndjsonReporter("r", (line) => lines.push(line))({ event: "note", text: steering });
    expect(lines[0]).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(lines[0]!).text).toBe(steering);
  });
});
