import { describe, expect, it } from "vitest";
import type { HostOutcome } from "../../src/engine/events.ts";
import { exitCodeOf } from "../../src/engine/exit-code.ts";

const cases: [HostOutcome["is"][], number][] = [
  [[], 0],
  [["as wanted", "as wanted"], 0],
  [["as wanted", "drift"], 2],
  [["drift", "failed"], 5],
  [["failed", "failed"], 1],
  [["as wanted", "failed"], 5],
  [["unreachable", "unreachable"], 4],
  [["as wanted", "unreachable"], 5],
  [["failed", "unreachable"], 5],
  [["interrupted", "failed"], 130],
];

describe("the exit code", () => {
  it.each(cases)("of hosts that ended %j is %i", (ends, code) => {
    expect(
      exitCodeOf(ends.map((is, index) => ({ host: `h${index}`, is, changed: [], unproven: [], execs: 1 }))),
    ).toBe(code);
  });
});
