import { describe, expect, it } from "vitest";
import type { WrittenEvent } from "../../src/cli/journal.ts";
import { runDifference } from "../../src/cli/run-difference.ts";

const ts = "2026-11-22T19:03:01.000Z";

function evidence(setting: string, verdict: string, inForce: string): WrittenEvent {
  return {
    ...{ event: "evidence", ts, host: "a", step: "sysctl", setting, want: "15", verdict },
    on_disk: { is: "read", value: "15", source: "x" },
    in_force: { is: "read", value: inForce, source: "x" },
  };
}

function told(run: string, exitCode: number, sha256: string, events: readonly WrittenEvent[]) {
  const asked = {
    ...{ event: "asked", ts, command: "verify", arguments: ["-i", "x.yaml"], user: "ann", on: "desk" },
    files: [{ path: "x.yaml", sha256, commit: "0123456789abcdef0123456789abcdef01234567" }],
  };
  const summary = { event: "summary", ts, exit_code: exitCode };
  const outcome = exitCode === 0 ? "as wanted" : "drift";
  const outcomes = [{ host: "a", outcome, changed: [], unproven: [] }];
  return { run, asked, summary, outcomes, events };
}

describe("two runs", () => {
  it("differ in their files, their ends and in what they saw", () => {
    const before = told("r1", 0, "a".repeat(64), [
      evidence("fin", "different", "60"),
      evidence("fin", "proven", "15"),
      evidence("gone", "proven", "15"),
    ]);
    const after = told("r2", 2, "b".repeat(64), [
      evidence("fin", "not-in-force", "60"),
      evidence("new", "proven", "15"),
    ]);
    const file = (letter: string) => `x.yaml, sha256 ${letter.repeat(16)}…, commit 0123456789ab`;
    expect(runDifference(before, after)).toEqual({
      runs: ["r1", "r2"],
      asked: [{ what: "files", was: file("a"), is: file("b") }],
      outcomes: [
        { what: "exit code", was: "0", is: "2" },
        { what: "a", was: "as wanted", is: "drift" },
      ],
      rows: [
        {
          what: "a · sysctl · fin",
          was: "proven: 15",
          is: "not-in-force: want 15, on disk 15, in force 60",
        },
      ],
      onlyIn: [1, 1],
    });
  });

  it("that are alike differ in nothing, whatever a proven setting was measured as", () => {
    const [before, after] = ["14", "15"].map((measured, at) =>
      told(`r${at}`, 0, "a".repeat(64), [evidence("clock", "proven", measured)]),
    );
    expect(runDifference(before!, after!)).toEqual({
      ...{ runs: ["r0", "r1"], asked: [], outcomes: [], rows: [], onlyIn: [0, 0] },
    });
  });
});
