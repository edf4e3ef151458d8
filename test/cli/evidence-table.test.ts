import { stripVTControlCharacters } from "node:util";
import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { evidenceTable, keyedRow } from "../../src/cli/ui/evidence-table.ts";
import type { Evidence } from "../../src/contract/reading.ts";
import { Secret } from "../../src/secret.ts";

const colour = new Chalk({ level: 1 });

function row(setting: string, value: string) {
  const layer = { is: "read", value, source: "a file" } as const;
  const evidence: Evidence = { setting, want: value, onDisk: layer, inForce: layer, verdict: "proven" };
  return keyedRow({ host: "a", step: "haproxy", evidence }, { verbose: false });
}

const lines = (columns: number, verbose = false) =>
  evidenceTable(
    [row("/etc/systemd/system/meshctl-watcher.service", "sha256 0123456789ab and more of it"), row("b", "1")],
    { paint: colour, columns, verbose },
  ).split("\n");

describe("the evidence table", () => {
  it.each([80, 100, 120, 200])("fits into %i columns", (columns) => {
    for (const verbose of [false, true])
      for (const line of lines(columns, verbose))
        expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
  });

  it("keeps the end of a path that is too long", () => {
    expect(lines(120).join("\n")).toMatch(/…\S*watcher\.service/);
  });

  it("cuts nothing away where there is little room, and breaks no colour", () => {
    const text = stripVTControlCharacters(lines(80).join("\n"));
    expect(text).not.toContain("…");
    expect(lines(80).join("\n")).not.toMatch(/(?<!\u001b)\[\d+m/);
    expect(text.match(/ proven$/gm)).toHaveLength(2);
  });

  it("has what is said below it broken as its reader wants it", () => {
    const { host, step, evidence } = row("b", "1");
    const warned = keyedRow(
      { host, step, evidence: { ...evidence, warning: "is loud" } },
      { verbose: false },
    );
    const options = { paint: colour, columns: 80, verbose: false };
    const broken = (text: string) => text.replace("is ", "is\n  ");
    expect(evidenceTable([warned], options)).toMatch(/haproxy · b: is loud$/);
    expect(evidenceTable([warned], { ...options, broken })).toMatch(/haproxy · b: is\n {2}loud$/);
  });

  it("masks a secret that would be torn apart by wrapping", () => {
    const secret = new Secret("correct-horse-battery-staple");
    const text = evidenceTable([row("b", secret.reveal())], { paint: colour, columns: 80, verbose: false });
    expect(text).not.toMatch(/horse|batt|staple/);
  });
});
