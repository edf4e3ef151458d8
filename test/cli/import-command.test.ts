import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { importCommand } from "../../src/cli/import-command.ts";

const NEITHER = "is neither a file of Synapse or Nerve nor haproxy.cfg";

it.each([
  ["nothing", "", NEITHER],
  ["an inventory", "version: 1\nhosts: { a: { address: 10.0.0.1 } }\n", NEITHER],
  ["zoo.cfg", "dataDir=/var/lib/zookeeper\nclientPort=2181\n", NEITHER],
  ["a list", "[]", NEITHER],
  ["an object of something else", '{ "a": 1 }', NEITHER],
  ["half a file", '{ "services": ', "is neither JSON nor YAML of Synapse or Nerve"],
  ["ERB", "services:\n  a: <%= ENV['A'] %>: 1\n", "holds ERB (<% … %>): import what ERB makes of it"],
])("import refuses %s: no inventory is made of what nobody understood", async (_, text, because) => {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-import-"));
  const file = join(folder, "given");
  writeFileSync(file, text);
  try {
    const wrong = importCommand([file], { output: join(folder, "i.yaml"), parallel: 1, color: false });
    await expect(wrong).rejects.toThrow(because);
    await expect(wrong).rejects.toThrow(`${file}: is neither`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
