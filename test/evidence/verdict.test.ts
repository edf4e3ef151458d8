import { describe, expect, it } from "vitest";
import { judge } from "../../src/evidence/verdict.ts";
import type { Layer, Reading, Verdict } from "../../src/step.ts";

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
