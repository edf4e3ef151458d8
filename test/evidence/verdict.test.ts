import { describe, expect, it } from "vitest";
import type { Layer, Reading, Verdict } from "../../src/contract/reading.ts";
import { derivationOf, judge } from "../../src/evidence/verdict.ts";

const read = (value: string): Layer => ({ is: "read", value, source: "/somewhere" });
const absent: Layer = { is: "absent", source: "/somewhere" };
const unreadable: Layer = { is: "unreadable", source: "/somewhere", because: "no permission" };
const inapplicable: Layer = { is: "inapplicable" };

const cases: [string, Partial<Reading>, Verdict][] = [
  ["both layers agree", { onDisk: read("15"), inForce: read("15") }, "proven"],
  ["only a running value exists and agrees", { onDisk: inapplicable, inForce: read("15") }, "proven"],
  ["only a value on disk exists and agrees", { onDisk: read("15"), inForce: inapplicable }, "proven"],
  ["neither layer can hold a value", { onDisk: inapplicable, inForce: inapplicable }, "unknown"],
  ["the file is absent though the kernel agrees", { onDisk: absent, inForce: read("15") }, "missing"],
  ["nothing is there", { onDisk: absent, inForce: absent }, "missing"],
  ["the process is absent and has no file", { onDisk: inapplicable, inForce: absent }, "missing"],
  ["the file says otherwise", { onDisk: read("60"), inForce: read("60") }, "different"],
  [
    "the file says otherwise though the kernel agrees",
    { onDisk: read("60"), inForce: read("15") },
    "different",
  ],
  ["another file wins", { onDisk: read("60"), inForce: read("15"), cause: "shadowed" }, "shadowed"],
  ["the running value is older", { onDisk: read("15"), inForce: read("60") }, "not-in-force"],
  ["the running value is capped", { onDisk: read("15"), inForce: read("14"), cause: "clamped" }, "clamped"],
  ["the process does not run", { onDisk: read("15"), inForce: absent }, "not-in-force"],
  ["the disk could not be read", { onDisk: unreadable, inForce: read("15") }, "unknown"],
  ["the process could not be asked", { onDisk: read("15"), inForce: unreadable }, "unknown"],
  [
    "another step closes it",
    { onDisk: read("60"), inForce: read("60"), closedBy: { step: "later" } },
    "pending",
  ],
  [
    "another step would close what agrees already",
    { onDisk: read("15"), inForce: read("15"), closedBy: { step: "later" } },
    "proven",
  ],
  [
    "the change must not be made",
    { onDisk: read("60"), inForce: read("60"), blocked: "not ours" },
    "blocked",
  ],
  [
    "the step accepts a rounded value",
    { onDisk: read("15"), inForce: read("16"), accepts: (value) => Number(value) >= 15 },
    "proven",
  ],
];

describe("a verdict", () => {
  it.each(cases)("when %s", (_name, reading, verdict) => {
    const evidence = judge({
      setting: "s",
      want: "15",
      onDisk: inapplicable,
      inForce: inapplicable,
      ...reading,
    });
    expect(evidence.verdict).toBe(verdict);
    expect(evidence.because === undefined).toBe(verdict === "proven");
  });

  it("says what was found and what is wanted when the step has no better words", () => {
    const evidence = judge({ setting: "s", want: "15", onDisk: read("60"), inForce: read("60") });
    expect(evidence.because).toBe("60 where 15 is wanted");
  });
});

describe("how a verdict came about", () => {
  const read = (value: string): Layer => ({ is: "read", value, source: "s" });
  const none: Layer = { is: "inapplicable" };
  const dark: Layer = { is: "unreadable", source: "s", because: "b" };
  const gone: Layer = { is: "absent", source: "s" };
  it.each([
    [{ onDisk: read("1"), inForce: read("1") }, "on disk and in force are both as wanted"],
    [{ onDisk: none, inForce: read("1") }, "in force is as wanted, and nothing on disk decides it"],
    [
      { onDisk: read("1"), inForce: read("1.0"), accepts: () => true },
      "on disk and in force are both as wanted (1.0 is what 1 may look like in force)",
    ],
    [{ onDisk: read("1"), inForce: read("0") }, "on disk is as wanted, in force is not"],
    [{ onDisk: read("0"), inForce: none }, "on disk is not as wanted"],
    [{ onDisk: gone, inForce: read("1") }, "on disk there is nothing where something is wanted"],
    [{ onDisk: none, inForce: gone }, "in force there is nothing where something is wanted"],
    [
      { onDisk: read("1"), inForce: dark },
      "in force could not be read, and what was not read proves nothing",
    ],
    [{ onDisk: none, inForce: none }, "no layer was read, and that proves nothing"],
    [
      { onDisk: gone, inForce: gone, closedBy: { step: "watcher" } },
      "not as wanted yet; the watcher step closes it",
    ],
    [{ onDisk: gone, inForce: gone, blocked: "no" }, "meshctl must not make the change that would close it"],
  ])("%o: %s", (layers, sentence) => {
    expect(derivationOf(judge({ setting: "s", want: "1", ...layers }))).toBe(sentence);
  });
});
