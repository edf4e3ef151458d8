import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const root = resolve(import.meta.dirname, "..");

// npm and a bundler are started, on a machine that may do other things.
vi.setConfig({ hookTimeout: 240_000, testTimeout: 240_000 });

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const lock = json(join(root, "package-lock.json")).packages as Readonly<Record<string, Locked>>;
const needed = Object.entries(lock).filter(([path, { dev }]) => path !== "" && dev !== true);

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
    if (!file.startsWith("test/") && existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: copy, stdio: "pipe" });
  // npm follows no link to what it is to bundle.
  rmSync(join(copy, "node_modules"));
  for (const [path] of needed) cpSync(join(root, path), join(copy, path), { recursive: true });
  execFileSync("npm", ["pack", "--offline", "--loglevel=error"], { cwd: copy, stdio: "pipe" });
  tarball = join(copy, readdirSync(copy).find((name) => name.endsWith(".tgz"))!);
  packed = execFileSync("tar", ["-tzf", tarball]).toString().trim().split("\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the package that is installed everywhere", () => {
  it("brings all that it depends on along, as the lock file has it", () => {
    expect(needed.map(([path]) => path)).toContain("node_modules/ssh2");
    for (const [path, { version }] of needed)
      expect([path, JSON.parse(inTarball(`${path}/package.json`)).version]).toEqual([path, version]);
    // Nothing is left that npm would look for by itself.
    const { dependencies, bundleDependencies } = JSON.parse(inTarball("package.json"));
    expect(Object.keys(dependencies)).toEqual(bundleDependencies);
    for (const [, { dependencies: its = {} }] of needed)
      for (const name of Object.keys(its)) expect(Object.keys(lock)).toContain(`node_modules/${name}`);
  });

  it("names no registry, and has no lock file of its own", () => {
    const names = packed.filter((path) => /(?:package-lock|npm-shrinkwrap)\.json$|\.npmrc$/.test(path));
    expect(names).toEqual([]);
    expect(readFileSync(join(root, "package-lock.json"), "utf8")).not.toContain('"resolved"');
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
    const example = join(prefix, "lib/node_modules/meshctl/inventories/example.yaml");
    // Reads inventory and playbook, and loads ssh2 for it.
    expect(execFileSync(join(prefix, "bin/meshctl"), ["validate", "-i", example]).toString()).toContain(
      "valid",
    );
  });
});
