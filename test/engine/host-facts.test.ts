import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hostFactsOf } from "../../src/engine/host-facts.ts";
import { parseProbeOutput } from "../../src/evidence/probe-output.ts";
import { scriptText } from "../../src/script-text.ts";
import { ProbeNotUnderstood } from "../../src/step.ts";

let bin: string;

beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "meshctl-prologue-"));
  for (const name of ["dpkg-query", "ss", "ip"]) program(name, ":");
  program("dpkg", "echo amd64");
});

afterEach(() => rmSync(bin, { recursive: true }));

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** What the prologue makes of this machine, with the programs above in front of its own. */
function hostFacts() {
  const files = [
    "../../src/engine/clock.sh",
    "../../src/evidence/prelude.sh",
    "../../src/engine/prologue.sh",
  ];
  const script = files.map((file) => scriptText(new URL(file, import.meta.url))).join("\n");
  const { stdout } = spawnSync("sh", ["-s"], {
    input: script,
    encoding: "utf8",
    env: { PATH: `${bin}:${process.env.PATH}`, LC_ALL: "C" },
  });
  return hostFactsOf(parseProbeOutput(stdout), { sentAtMs: 0, firstByteAtMs: 0 });
}

describe("the kind of machine", () => {
  it.each([
    ["a guest", "echo kvm", "kvm"],
    ["bare metal, which it says with exit code 1", "echo none; exit 1", "none"],
    ["nothing that it could tell", "echo 'Failed to check for virtualization' >&2; exit 1", ""],
    ["nothing because it is not there", "exit 127", ""],
  ])("is what systemd-detect-virt prints: %s", (_, text, found) => {
    program("systemd-detect-virt", text);
    expect(hostFacts().virtualization).toBe(found);
  });
});

it("refuses a clock that is no time, which would agree with every other", () => {
  program("date", "echo 1764038400.%N");
  expect(hostFacts).toThrow(ProbeNotUnderstood);
});
