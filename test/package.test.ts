import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readerProgram } from "../src/reader/program.ts";

const root = resolve(import.meta.dirname, "..");

// npm and a bundler are started, on a machine that may do other things.
vi.setConfig({ hookTimeout: 240_000, testTimeout: 240_000 });

interface Locked {
  readonly dev?: boolean;
}

/** What the package needs nothing of; of tests it has the lab. */
const OF_TESTS_ALONE = /^test\/(?!lab\/|demo\.ts$|e2e\/(?:backends|http)\.ts$)/;

/** Tells whether V8 takes the compiled form of a bundle, and half of it. */
const TAKEN = `
  const { scriptOf } = require("./bin/load.js");
  const { readFileSync } = require("node:fs");
  const [bundle, compiled] = process.argv.slice(1);
  const [text, bytes] = [readFileSync(bundle, "utf8"), readFileSync(compiled)];
  const isTaken = (part) => scriptOf(bundle, text, part).cachedDataRejected === false;
  console.log(JSON.stringify({ whole: isTaken(bytes), half: isTaken(bytes.subarray(0, bytes.length / 2)) }));
`;

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const lock = json(join(root, "package-lock.json")).packages as Readonly<Record<string, Locked>>;

let folder: string;
let tarball: string;
let packed: readonly string[];

const inTarball = (path: string) => execFileSync("tar", ["-xzOf", tarball, `package/${path}`]).toString();

/** Builds and packs a copy: what is built in the clone may be in use. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-package-"));
  const copy = join(folder, "copy");
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  for (const file of files.toString().trim().split("\n"))
    if (!OF_TESTS_ALONE.test(file) && existsSync(join(root, file)))
      cpSync(join(root, file), join(copy, file));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: copy, stdio: "pipe" });
  // `prepack` would build it once more.
  const flags = ["--offline", "--ignore-scripts", "--loglevel=error"];
  execFileSync("npm", ["pack", ...flags], { cwd: copy, stdio: "pipe" });
  tarball = join(copy, readdirSync(copy).find((name) => name.endsWith(".tgz"))!);
  packed = execFileSync("tar", ["-tzf", tarball]).toString().trim().split("\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the package that is installed everywhere", () => {
  it("has all that it is made of in its bundles, with the licences, and npm looks for nothing", () => {
    expect(Object.entries(lock).filter(([path, { dev }]) => path !== "" && dev !== true)).toEqual([]);
    const manifest = JSON.parse(inTarball("package.json"));
    for (const kind of ["dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies"])
      expect(manifest[kind]).toBeUndefined();
    expect(packed.filter((path) => path.includes("node_modules/"))).toEqual([]);
    const licences = inTarball("dist/LICENSES.txt");
    for (const name of ["ssh2", "tweetnacl", "zod", "yaml", "commander", "inquirer"])
      expect(licences).toMatch(new RegExp(`^── ${name} [\\d.]+\\n\\n[^]{400}`, "m"));
  });

  it("names no registry, and has no lock file of its own", () => {
    const names = packed.filter((path) => /(?:package-lock|npm-shrinkwrap)\.json$|\.npmrc$/.test(path));
    expect(names).toEqual([]);
    expect(readFileSync(join(root, "package-lock.json"), "utf8")).not.toContain('"resolved"');
  });

  it.each(["main", "ssh2"])(
    "has %s compiled at the build, as this Node takes it, and travels without that",
    (name) => {
      const compiled = readdirSync(join(folder, "copy/dist/cli")).filter((file) => file.endsWith(".cache"));
      const bundle = join(folder, `copy/dist/cli/${name}.cjs`);
      const text = readFileSync(bundle, "utf8");
      const require = createRequire(import.meta.url);
      const { compiledFile } = require(join(root, "bin/load.js"));
      const named = (of: string) => compiledFile(`${name}.cjs`, of);
      expect(compiled.filter((file) => file.startsWith(name))).toEqual([named(text)]);
      const other = text.replace(/^\/\/./, (head) => (head === "//0" ? "//1" : "//0"));
      expect(named(other)).not.toBe(named(text));
      // In a Node without the flags of the tests' own.
      const told = execFileSync(
        process.execPath,
        ["-e", TAKEN, bundle, join(folder, "copy/dist/cli", named(text))],
        { cwd: root },
      );
      expect(JSON.parse(told.toString())).toEqual({ whole: true, half: false });
      expect(packed.filter((path) => path.endsWith(".cache"))).toEqual([]);
    },
  );

  it("has the client of the SSH library in a file of its own, without its native parts", () => {
    const file = join(folder, "copy/dist/cli/ssh2.cjs");
    const { Client, BaseAgent, OpenSSHAgent, utils } = createRequire(import.meta.url)(file);
    for (const used of [Client, BaseAgent, OpenSSHAgent, utils.parseKey]) expect(used).toBeTypeOf("function");
    const required = readFileSync(file, "utf8").matchAll(/\brequire\("([^"]*)"\)/g);
    expect([...required].map(([, name]) => name!).filter((name) => !isBuiltin(name))).toEqual([]);
    expect(readFileSync(join(folder, "copy/dist/cli/main.cjs"), "utf8")).not.toMatch(
      /(?:require|load)\d*\("ssh2"\)/,
    );
  });

  it("has the reader as it is sent alone", () => {
    const sent = packed.filter((path) => path.includes("/reader/")).map((path) => path.replace(/.*\//, ""));
    expect(sent.sort()).toEqual(["reader.pl.gz", "start.sh"]);
    // The build packs it better.
    const text = (program: Buffer) => gunzipSync(program).toString();
    const built = readFileSync(join(folder, "copy/dist/reader/reader.pl.gz"));
    expect(text(built)).toBe(text(readerProgram().program));
  });

  it("has what asks a person in a file of its own, as the default of a module", () => {
    const asking = createRequire(import.meta.url)(join(folder, "copy/dist/cli/inquirer.cjs"));
    expect(asking.createPromptModule).toBeTypeOf("function");
    expect(readFileSync(join(folder, "copy/dist/cli/main.cjs"), "utf8")).toContain(
      'require("./inquirer.cjs"),1)',
    );
  });

  it("has the lab's programs, and every script that they name", () => {
    const sources = ["test/lab", "test/lab/vm"].flatMap((of) =>
      readdirSync(join(root, of))
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .map((name) => readFileSync(join(root, of, name), "utf8")),
    );
    const scripts = sources.flatMap((text) =>
      [...text.matchAll(/"([\w-]+\.(?:sh|pl))"/g)].map(([, name]) => name!),
    );
    expect(scripts).toContain("base-setup.sh");
    for (const name of [...scripts, "backend.pl", "cli.mjs", "attendant.mjs"])
      expect(packed).toContain(`package/dist/lab/${name}`);
  });

  it("is installed without a registry, and runs", () => {
    const prefix = join(folder, "prefix");
    const cache = join(folder, "empty-cache");
    const flags = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    execFileSync("npm", ["install", "-g", "--prefix", prefix, "--cache", cache, ...flags, tarball], {
      cwd: folder,
    });
    const said = execFileSync(join(prefix, "bin/meshctl"), ["hosts", "--help"], { cwd: folder }).toString();
    expect(said).toContain("Usage: meshctl hosts");
    const script = execFileSync(join(prefix, "bin/meshctl"), ["completion", "bash"], { cwd: folder });
    expect(script.toString()).toContain("complete -F _meshctl meshctl");
    const lab = execFileSync(join(prefix, "bin/meshctl"), ["lab", "--help"], { cwd: folder }).toString();
    expect(lab).toContain("Usage: meshctl lab");
    const up = execFileSync(join(prefix, "bin/meshctl"), ["lab", "up", "--help"], { cwd: folder }).toString();
    expect(up).toContain("Usage: meshctl lab up [options] [N]");
    // `man meshctl` finds it there.
    expect(readFileSync(join(prefix, "share/man/man1/meshctl.1"), "utf8")).toContain(".TH MESHCTL 1");
    const example = join(prefix, "lib/node_modules/meshctl/inventories/example.yaml");
    // Reads inventory and playbook, and loads ssh2 for it.
    expect(execFileSync(join(prefix, "bin/meshctl"), ["validate", "-i", example]).toString()).toContain(
      "valid",
    );
  });
});
