import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

/** What a file imports: paths within src, or package names. */
function importsOf(file: string): string[] {
  return importsIn(file, readFileSync(join(src, file), "utf8"));
}

function importsIn(file: string, text: string): string[] {
  return [
    ...text.matchAll(
      /^(?:import|export)\s[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
    ),
  ].map((match) => {
    const name = match[1] ?? match[2] ?? match[3]!;
    return name.startsWith(".") ? relative(src, resolve(src, dirname(file), name)) : name;
  });
}

/** Folder below src (with the step's own for steps), or "" for files at the top. */
function layerOf(file: string): string {
  const [first, second, third] = file.split("/");
  if (second === undefined) return "";
  return first === "steps" && third !== undefined ? `steps/${second}` : first!;
}

/** Packages that are loaded as soon as the file is: not types, and not what is imported on demand. */
function packagesLoadedBy(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const text = readFileSync(join(src, file), "utf8").replace(
    /^(?:import|export) type\s[^;]*;|\bimport\([^)]*\)/gm,
    "",
  );
  const loaded = importsIn(file, text).flatMap((name) =>
    name.endsWith(".ts") ? packagesLoadedBy(name, seen) : name.startsWith("node:") ? [] : [name],
  );
  return [...new Set(loaded)].sort();
}

const MAY_IMPORT: Record<string, readonly string[]> = {
  "": ["contract"],
  contract: ["", "inventory", "reader"],
  inventory: ["", "contract"],
  playbook: ["", "contract", "inventory"],
  evidence: ["", "contract", "reader"],
  daemon: ["", "contract", "evidence", "reader"],
  haproxy: ["", "contract", "daemon", "evidence", "inventory", "reader"],
  reader: ["", "contract", "remote"],
  remote: ["", "contract", "inventory"],
  engine: ["", "contract", "inventory", "playbook", "evidence", "reader", "remote"],
  steps: ["", "contract", "steps/*"],
  smartstack: ["", "contract", "daemon", "evidence", "inventory", "reader"],
  "steps/*": ["", "contract", "daemon", "haproxy", "smartstack", "evidence", "inventory", "reader"],
  status: ["", "contract", "engine", "daemon", "evidence", "haproxy", "inventory", "steps/*"],
  import: ["", "contract", "haproxy", "inventory", "reader", "steps/*"],
  init: ["", "contract", "haproxy", "inventory"],
  canary: ["", "contract", "engine", "haproxy", "inventory", "remote"],
  cli: [
    "",
    "canary",
    "contract",
    "engine",
    "evidence",
    "import",
    "init",
    "inventory",
    "playbook",
    "reader",
    "remote",
    "status",
    "steps",
  ],
};

const PACKAGES: Record<string, readonly string[]> = {
  ssh2: ["remote"],
  "ssh-config": ["remote"],
  commander: ["cli"],
  inquirer: ["cli"],
  chalk: ["cli"],
  "string-width": ["cli"],
  diff: ["cli"],
  yaml: ["import", "init", "inventory", "playbook"],
  // The inventory runs what `!command` names.
  "node:child_process": ["remote", "inventory"],
};

describe("the architecture", () => {
  it.each(files)("%s imports only what its layer may", (file) => {
    const layer = layerOf(file);
    const isStep = layer.startsWith("steps/");
    const allowed = MAY_IMPORT[isStep ? "steps/*" : layer] ?? [];
    for (const imported of importsOf(file)) {
      if (imported.startsWith("..") || /\.ts$/.test(imported)) {
        const target = layerOf(imported);
        const fits =
          target === layer ||
          allowed.includes(target) ||
          (target.startsWith("steps/") && allowed.includes("steps/*"));
        expect(fits, `${file} imports ${imported}`).toBe(true);
      } else {
        const layers = PACKAGES[imported];
        if (layers !== undefined)
          expect(layers, `${file} imports ${imported}`).toContain(isStep ? "steps/*" : layer);
      }
    }
  });

  it.each([
    ["cli/main.ts", ["commander"]],
    ["cli/load.ts", ["commander", "yaml", "zod"]],
    ["cli/run-command.ts", ["chalk", "commander", "diff", "ssh-config", "string-width", "yaml", "zod"]],
  ])("%s loads no package that it may not need", (file, needed) => {
    expect(packagesLoadedBy(file)).toEqual(needed);
  });

  it("has no circle of imports", () => {
    const open = new Set<string>();
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]) => {
      if (open.has(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
      if (open.has(file) || done.has(file)) return;
      open.add(file);
      for (const name of importsOf(file)) if (files.includes(name)) visit(name, [...path, file]);
      open.delete(file);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it("keeps the console out of everything but the command line", () => {
    const loud = files.filter(
      (file) =>
        layerOf(file) !== "cli" &&
        /\bconsole\.|process\.(stdout|stderr)/.test(readFileSync(join(src, file), "utf8")),
    );
    expect(loud).toEqual([]);
  });

  it("measures time by a clock that nobody can set", () => {
    // A host's clock and a file's time stamp can only be compared with the clock that people set.
    const comparing = ["engine/host-facts.ts", "remote/known-hosts-file.ts"];
    // These show people when something was.
    const showing = [
      "cli/page/verify-page.ts",
      "cli/recorded-hosts.ts",
      "cli/run-command.ts",
      "cli/report/ndjson.ts",
      "cli/status-command.ts",
      "engine/hand-lock.ts",
      "engine/host-locks.ts",
      "engine/run-name.ts",
    ];
    const settable = files.filter((file) =>
      /\bDate\.now\b|\bnew Date\(\)/.test(readFileSync(join(src, file), "utf8")),
    );
    expect(settable.sort()).toEqual([...comparing, ...showing].sort());
  });

  it("keeps the names of steps out of the engine", () => {
    const names = readdirSync(join(src, "steps"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    const naming = files
      .filter((file) => layerOf(file) === "engine")
      .filter((file) =>
        names.some((name) => new RegExp(`["']${name}["']`).test(readFileSync(join(src, file), "utf8"))),
      );
    expect(naming).toEqual([]);
  });
});
