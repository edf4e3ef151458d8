import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { importCommand } from "../../src/cli/import-command.ts";

it.each([
  ["nothing", ""],
  ["an inventory", "version: 1\nhosts: { a: { address: 10.0.0.1 } }\n"],
  ["zoo.cfg", "dataDir=/var/lib/zookeeper\nclientPort=2181\n"],
])("import refuses %s: no inventory is made of what nobody understood", async (_, text) => {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-import-"));
  const file = join(folder, "given");
  writeFileSync(file, text);
  try {
    const wrong = importCommand([file], { output: join(folder, "i.yaml"), parallel: 1, color: false });
    await expect(wrong).rejects.toThrow(
      `${file}: is neither a JSON file of Synapse or Nerve nor haproxy.cfg`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
