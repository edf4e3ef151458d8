import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

const INVENTORY =
  "version: 1\nhosts: { kvm-01: { address: 10.0.0.1 }, kvm-02: !command [touch, ran] }\ngroups: { proxies: [kvm-01] }\nmesh: { services: { user-api: { port: 1 } } }\n";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-completion-"));
  // A shell asks many times: from source each answer would take seconds.
  await build({
    entryPoints: [join(root, "src/cli/main.ts")],
    outdir: join(folder, "dist/cli"),
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    external: ["ssh2"],
    banner: {
      js: `import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);`,
    },
    logLevel: "error",
  });
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "version": "0" }');
  writeFileSync(
    join(folder, "meshctl"),
    `#!/bin/sh\nexec '${process.execPath}' '${join(folder, "dist/cli/main.js")}' "$@"\n`,
  );
  chmodSync(join(folder, "meshctl"), 0o755);
  writeFileSync(join(folder, "i.yaml"), INVENTORY);
  writeFileSync(join(folder, "my mesh.yaml"), INVENTORY);
});
afterAll(() => rmSync(folder, { recursive: true }));

const environment = () => ({ ...process.env, PATH: `${folder}:${process.env.PATH}`, XDG_STATE_HOME: folder });
const asked = (...words: string[]) =>
  spawnSync(join(folder, "meshctl"), ["complete", "--", ...words], {
    cwd: folder,
    env: environment(),
    encoding: "utf8",
  });

describe("what shells ask", () => {
  it("reads the inventory, and runs nothing that it names", () => {
    const { stdout, stderr, status } = asked("plan", "-i", "i.yaml", "-l", "");
    expect({ stdout, stderr, status }).toEqual({
      stdout:
        ":more\nproxies\tgroup\nkvm-01\thost\nkvm-02\thost\nall\tevery host\n@failed\thosts that failed in the last run\n@changed\thosts that the last run changed\n",
      stderr: "",
      status: 0,
    });
    expect(execFileSync("ls", [folder]).toString()).not.toContain("ran");
  });

  it.each([
    ["no inventory", ["plan", "-l", "k"]],
    ["one that is not there", ["plan", "-i", "nope", "-l", "k"]],
    ["flags that there are not", ["plan", "--nope", "-l", "k"]],
    ["a flag of its own", ["--help"]],
  ])("says nothing of %s", (_, words) => {
    const { stderr, status } = asked(...words);
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });
});

describe("an inventory that shells have not expanded", () => {
  it("is looked for in the home folder", () => {
    const { stdout } = spawnSync(
      join(folder, "meshctl"),
      ["complete", "--", "plan", "-i", "~/i.yaml", "-l", "k"],
      { cwd: "/", env: { ...environment(), HOME: folder }, encoding: "utf8" },
    );
    expect(stdout).toBe(":more\nkvm-01\thost\nkvm-02\thost\n");
  });

  it("is not read where it is no file: a pipe would be waited for", () => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const { stdout, status, signal } = spawnSync(
      join(folder, "meshctl"),
      ["complete", "--", "plan", "-i", "pipe", "-l", "@f"],
      { cwd: folder, env: environment(), encoding: "utf8", timeout: 20_000 },
    );
    expect({ stdout, status, signal }).toEqual({
      stdout: ":more\n@failed\thosts that failed in the last run\n",
      status: 0,
      signal: null,
    });
  });
});

describe("bash", () => {
  /** COMPREPLY for a line, with its words as bash's readline parts them. */
  const replies = (line: string, words: readonly string[]) =>
    execFileSync(
      "bash",
      [
        "-c",
        'source "$1"; shift; COMP_LINE=$1; COMP_POINT=${#1}; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _meshctl; printf "%s\\n" "${COMPREPLY[@]}"',
        "bash",
        join(root, "src/cli/completion/meshctl.bash"),
        line,
        ...words,
      ],
      { cwd: folder, env: environment(), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    )
      .trim()
      .split("\n");

  it.each<[string, readonly string[], readonly string[]]>([
    ["meshctl prov", ["meshctl", "prov"], ["provision"]],
    ["meshctl render -i i.yaml k", ["meshctl", "render", "-i", "i.yaml", "k"], ["kvm-01", "kvm-02"]],
    ["meshctl probe -i i.yaml ", ["meshctl", "probe", "-i", "i.yaml", ""], ["user-api"]],
    [
      "meshctl plan -i i.yaml --limit=p",
      ["meshctl", "plan", "-i", "i.yaml", "--limit", "=", "p"],
      ["proxies"],
    ],
    [
      "meshctl plan -i i.yaml --limit=",
      ["meshctl", "plan", "-i", "i.yaml", "--limit", "="],
      ["proxies", "kvm-01", "kvm-02", "all", "@failed", "@changed"],
    ],
    ["meshctl plan -i i.yaml -l @f", ["meshctl", "plan", "-i", "i.yaml", "-l", "@", "f"], ["failed"]],
    [
      "meshctl render -i 'my mesh.yaml' k",
      ["meshctl", "render", "-i", "'my mesh.yaml'", "k"],
      ["kvm-01", "kvm-02"],
    ],
    [
      'meshctl render -i "my mesh.yaml" k',
      ["meshctl", "render", "-i", '"my mesh.yaml"', "k"],
      ["kvm-01", "kvm-02"],
    ],
    [
      "meshctl render -i my\\ mesh.yaml k",
      ["meshctl", "render", "-i", "my\\ mesh.yaml", "k"],
      ["kvm-01", "kvm-02"],
    ],
    [
      "meshctl plan -i i.yaml -l 'proxies,!k",
      ["meshctl", "plan", "-i", "i.yaml", "-l", "'proxies,!k"],
      ["proxies,!kvm-01", "proxies,!kvm-02"],
    ],
  ])("completes %s", (line, words, found) => {
    expect(replies(line, words)).toEqual(found);
  });
});

describe("the other shells", () => {
  it.each(["bash", "zsh", "fish"])("%s takes its script", (shell) => {
    const script = join(root, `src/cli/completion/meshctl.${shell}`);
    const { error, status, stderr } = spawnSync(shell, ["-n", script], { encoding: "utf8" });
    // Not every machine has every shell.
    if (error !== undefined && "code" in error && error.code === "ENOENT") return;
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
