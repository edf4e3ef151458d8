import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { References } from "../../src/inventory/reference.ts";
import { readSource } from "../../src/inventory/source.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-source-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, text: string, mode: number): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

/** The keys at the top, and what is wrong. */
function read(file: string, unread = false) {
  const problems: string[] = [];
  const source = readSource(
    file,
    new References(process.env, undefined, unread),
    ({ line, column, message }) => problems.push(`${line}:${column} ${message}`),
  );
  return { keys: source.keys([]), problems };
}

describe("an inventory", () => {
  it("is what a program prints, as YAML or JSON", () => {
    const yaml = written("yaml", "#!/bin/sh\necho 'version: 1'; echo 'hosts: {}'\n", 0o755);
    const json = written("json", `#!/bin/sh\necho '{"version": 1, "groups": {}}'\n`, 0o755);
    expect(read(yaml)).toEqual({ keys: ["version", "hosts"], problems: [] });
    expect(read(json)).toEqual({ keys: ["version", "groups"], problems: [] });
  });

  it("is not run where it only may be, or strangers may have written it", () => {
    const file = written("plain", "version: 1\n", 0o755);
    expect(read(file)).toEqual({ keys: ["version"], problems: [] });
    const program = written("program", `#!/bin/sh\ntouch ${folder}/ran; echo 'version: 1'\n`, 0o755);
    expect(read(program, true)).toEqual({
      keys: [],
      problems: ["1:1 is a program, and with --no-references none is run"],
    });
    expect(spawnSync("ls", [folder]).stdout.toString()).not.toContain("ran");
  });

  it("says why a program printed none, and where what it printed is wrong", () => {
    const failing = written("failing", "#!/bin/sh\necho 'no token' >&2; exit 3\n", 0o755);
    expect(read(failing).problems).toEqual([`1:1 ${failing} failed with exit code 3: no token`]);
    const crooked = written("crooked", "#!/bin/sh\necho 'version: 1'; echo 'hosts: ['\n", 0o755);
    expect(read(crooked).problems).toEqual([expect.stringMatching(/^3:1 |^2:/)]);
  });
});

describe("-i -", () => {
  it("reads standard input", () => {
    const contents = `import { readSource } from "./source.ts"; import { References } from "./reference.ts"; console.log(readSource("-", new References({}), () => {}).keys([]).join())`;
    const program = join(folder, "program.cjs");
    const stdin = { contents, resolveDir: resolve("src/inventory") };
    buildSync({ stdin, bundle: true, platform: "node", outfile: program });
    const input = "version: 1\nhosts: {}\n";
    const { stdout, stderr } = spawnSync(process.execPath, [program], { input, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "version,hosts\n", stderr: "" });
  });
});
