import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { inOrder } from "../src/engine/script-block.ts";
import { InvalidFiles } from "../src/inventory/invalid-files.ts";
import { formatPath } from "../src/inventory/path.ts";
import {
  allowOs,
  hostEntry,
  meshSection,
  networkSection,
  serviceEntry,
  sshSection,
} from "../src/inventory/schema.ts";
import { parseHaproxyConfig, renderHaproxyConfig } from "../src/mesh/haproxy-config.ts";
import { loadFiles } from "../src/playbook/load-files.ts";
import { Secret } from "../src/secret.ts";
import { steps } from "../src/steps/registry.ts";
import { renderDropIn } from "../src/steps/sysctl/drop-in.ts";
import type { WatcherDesired } from "../src/steps/watcher/desired.ts";
import { renderSynapseConfig } from "../src/steps/watcher/synapse-config.ts";
import { HOSTILE } from "./hostile-values.ts";

vi.setConfig({ testTimeout: 60_000 });

type Path = readonly (string | number)[];
type Json = { [key: string]: unknown };

/** A field that a file may give a value to, in the inventory or in the playbook. */
interface Field {
  readonly file: "i.yaml" | "p.yaml";
  readonly path: Path;
  /** What judges the value by itself, and where the field is within it. */
  readonly schema?: { readonly whole: z.ZodType; readonly at: number };
}

const inventory = (): Json => ({
  version: 1,
  ssh: {},
  network: {},
  allow_os: [],
  hosts: {
    // A percentage of memory is not for a member of the ensemble.
    a: { address: "10.0.0.1", ssh: {}, mysql: { buffer_pool_size: "1G" } },
    b: { address: "10.0.0.2" },
  },
  groups: { zk: ["a"], others: { hosts: ["b"] } },
  mesh: {
    ensemble: "zk",
    proxies: "zk",
    services: { s: { path: "/s", port: 8080, check: {}, servers: [{ host: "10.0.0.9", port: 80 }] } },
  },
});
const playbook = (): Json => ({
  version: 1,
  plays: [{ hosts: "zk", steps: Object.fromEntries(steps.map(({ name }) => [name, {}])) }],
});
const documents = { "i.yaml": inventory, "p.yaml": playbook };
const plain = { "i.yaml": inventory(), "p.yaml": playbook() };

/** Sections of the files and the schemas that judge them. */
const sections: readonly (readonly [Field["file"], Path, z.ZodType])[] = [
  ["i.yaml", ["ssh"], sshSection],
  ["i.yaml", ["network"], networkSection],
  ["i.yaml", ["allow_os"], allowOs],
  ["i.yaml", ["mesh"], meshSection],
  ["i.yaml", ["mesh", "services", "s"], serviceEntry],
  ["i.yaml", ["hosts", "a"], hostEntry],
  ...steps.flatMap(({ name, parameters }): [Field["file"], Path, z.ZodType][] => [
    ["p.yaml", ["plays", 0, "steps", name], parameters],
  ]),
];

/** Names, patterns and whatever else no schema lists. */
const others: readonly Field[] = [
  { file: "i.yaml", path: ["version"] },
  { file: "i.yaml", path: ["groups", "zk", 0] },
  { file: "i.yaml", path: ["groups", "others", "hosts", 0] },
  { file: "p.yaml", path: ["version"] },
  { file: "p.yaml", path: ["plays", 0, "hosts"] },
  { file: "p.yaml", path: ["plays", 0, "optional"] },
];

/** Maps whose keys are names that people choose. */
const maps: readonly (readonly [Field["file"], Path])[] = [
  ["i.yaml", ["hosts"]],
  ["i.yaml", ["groups"]],
  ["i.yaml", ["mesh", "services"]],
  ["p.yaml", ["plays", 0, "steps"]],
  ["p.yaml", ["plays", 0, "steps", "sysctl"]],
  ["i.yaml", []],
];

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Every place within a schema that takes a value, maps with free keys included. */
function leaves(schema: JsonSchema | boolean | undefined, path: Path = []): Path[] {
  if (typeof schema !== "object") return [path];
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const within = [
    ...branches.flatMap((branch) => leaves(branch as JsonSchema, path)),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, each]) =>
      leaves(each as JsonSchema, [...path, key]),
    ),
    ...(typeof schema.additionalProperties === "object"
      ? leaves(schema.additionalProperties as JsonSchema, [...path, "net.core.x"])
      : []),
    ...(typeof schema.items === "object" ? leaves(schema.items as JsonSchema, [...path, 0]) : []),
  ];
  return [path, ...within];
}

const unique = (paths: readonly Path[]) => [
  ...new Map(paths.map((path) => [JSON.stringify(path), path])).values(),
];

const fields: readonly Field[] = [
  ...sections.flatMap(([file, at, whole]) =>
    unique(leaves(z.toJSONSchema(whole, { io: "input", unrepresentable: "any" })))
      .filter((path) => path.length > 0)
      .map((path): Field => ({ file, path: [...at, ...path], schema: { whole, at: at.length } })),
  ),
  ...others,
];

function put(document: Json, path: Path, value: unknown): Json {
  let here = document as Record<string | number, unknown>;
  for (const [index, key] of path.slice(0, -1).entries()) {
    if (typeof here[key] !== "object" || here[key] === null)
      here[key] = typeof path[index + 1] === "number" ? [] : {};
    here = here[key] as Record<string | number, unknown>;
  }
  // Not by assignment: "__proto__" is a name like any other.
  Object.defineProperty(here, path.at(-1)!, { value, enumerable: true, writable: true, configurable: true });
  return document;
}

const valueAt = (document: Json, path: Path) =>
  path.reduce<unknown>((here, key) => (here as Json)?.[key], document);

/** Whether the field's own schema takes the value; what it takes must still pass the whole of the files. */
function isTaken({ file, path, schema }: Field, value: string): boolean {
  if (schema === undefined) return false;
  const own = structuredClone(valueAt(plain[file], path.slice(0, schema.at))) as Json;
  // Steps' parameters stand beside a host's own keys, and are judged by themselves.
  if (schema.whole === hostEntry) for (const { name } of steps) delete own[name];
  return schema.whole.safeParse(put(own, path.slice(schema.at), value)).success;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-injection-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const canary = "/tmp/meshctl-pwned";

async function load(changed: Partial<Record<Field["file"], Json>>) {
  for (const file of ["i.yaml", "p.yaml"] as const) {
    // JSON is YAML, and can hold every character.
    writeFileSync(join(folder, file), JSON.stringify(changed[file] ?? documents[file](), null, 1));
  }
  const files = {
    inventoryFile: join(folder, "i.yaml"),
    playbookFile: join(folder, "p.yaml"),
    environment: {},
  };
  return loadFiles(files, steps);
}

/** Paths of what is wrong with the files; each with a line and a column of its own. */
async function problemsOf(changed: Parameters<typeof load>[0]): Promise<readonly string[]> {
  try {
    await load(changed);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidFiles)) throw error;
    for (const { line, column } of error.diagnostics) expect(Math.min(line, column)).toBeGreaterThan(0);
    return error.diagnostics.map(({ path }) => path);
  }
}

/** Every text within plain data, maps included; secrets keep theirs. */
function textsOf(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || value instanceof Secret || seen.has(value)) return [];
  seen.add(value);
  const parts =
    value instanceof Map ? [...value].flat() : Array.isArray(value) ? value : Object.entries(value).flat();
  return parts.flatMap((part) => textsOf(part, seen));
}

const words: string[] = [];

/** What reaches a host of it is literal: in the configuration files as the programs read them, and in arguments. */
function expectLiteral({ inventory: loaded, job }: Awaited<ReturnType<typeof load>>): void {
  for (const play of job.plays) {
    for (const host of play.hosts) {
      const view = loaded.hosts.get(host)!;
      for (const { step, parameters } of play.steps) {
        const desired = step.desired(parameters.get(host), view, loaded);
        expect(textsOf(desired).filter((text) => /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text))).toEqual([]);
        words.push(...step.probe(desired).args);
        if (step.name === "watcher") expectLiteralMesh(desired as WatcherDesired);
        if (step.name === "sysctl") {
          const { settings } = desired as { settings: ReadonlyMap<string, string> };
          expect(renderDropIn(settings).split("\n")).toHaveLength(settings.size + 2);
        }
      }
    }
  }
}

function expectLiteralMesh(desired: WatcherDesired): void {
  const { settings } = desired;
  const read = parseHaproxyConfig(renderHaproxyConfig(settings, "d")).sections;
  expect(read.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "global ",
    "defaults ",
    ...settings.services.flatMap(({ name }) => [`frontend ${name}`, `backend ${name}`]),
  ]);
  const backends = read.filter(({ kind }) => kind === "backend");
  for (const [index, { backend, servers, serverOptions }] of settings.services.entries()) {
    expect(backends[index]!.lines.map(({ text }) => text)).toEqual([
      ...backend,
      ...servers.map(({ name, host, port }) => `server ${name} ${host}:${port} ${serverOptions}`),
    ]);
  }
  const synapse = renderSynapseConfig(desired);
  expect(synapse).not.toContain("<%");
  for (const { name, path } of desired.services)
    expect(JSON.parse(synapse).services[name].discovery.path).toBe(path);
}

describe("a hostile value", () => {
  it("is one of many kinds", () => {
    expect(new Set(HOSTILE).size).toBeGreaterThan(60);
    expect(fields.length).toBeGreaterThan(70);
  });

  it("can stand in no field that this test does not know", async () => {
    const known = async (file: Field["file"]) => {
      const error = (await load({ [file]: { ...documents[file](), no_such_key: 1 } }).catch(
        (each) => each,
      )) as Error;
      return /known are ([a-z_, ]+)/.exec(error.message)?.[1]?.split(", ");
    };
    const tested = new Set(fields.map(({ file, path }) => `${file} ${path[0]}`));
    for (const key of (await known("i.yaml"))!) expect(tested).toContain(`i.yaml ${key}`);
    for (const key of (await known("p.yaml"))!) expect(tested).toContain(`p.yaml ${key}`);
  });

  it("is refused in every field that does not take it, at its place", async () => {
    const refusing = fields.flatMap((field) => {
      const isWithin = fields.some(
        ({ file, path }) =>
          file === field.file &&
          path.length > field.path.length &&
          field.path.every((key, index) => key === path[index]),
      );
      const value = HOSTILE.find((each) => !isTaken(field, each));
      return isWithin || value === undefined ? [] : [{ ...field, value }];
    });
    expect(refusing.length).toBeGreaterThan(50);
    const reported = [];
    for (const name of ["i.yaml", "p.yaml"] as const) {
      const document = documents[name]();
      for (const { path, value } of refusing.filter(({ file }) => file === name)) put(document, path, value);
      reported.push(...(await problemsOf({ [name]: document })));
    }
    for (const { path } of refusing) {
      // An element of a list may be told of at its list.
      const places = [path, path.slice(0, typeof path.at(-1) === "number" ? -1 : undefined)].map(formatPath);
      expect(
        reported.filter((place) => places.includes(place)),
        places.join(" or "),
      ).not.toEqual([]);
    }
  });

  it("that a field takes is kept literally, or refused with the rest of the files", async () => {
    let kept = 0;
    // What names another thing of the files, or a file on this machine: seen refused once.
    const naming = new Set<string>();
    for (const value of HOSTILE) {
      let taking = fields.filter((field) => !naming.has(formatPath(field.path)) && isTaken(field, value));
      for (;;) {
        const changed = { "i.yaml": inventory(), "p.yaml": playbook() };
        for (const { file, path } of taking) put(changed[file], path, value);
        const reported = await problemsOf(changed);
        if (reported.length === 0) {
          expectLiteral(await load(changed));
          break;
        }
        const left = taking.filter(({ path }) => !reported.includes(formatPath(path)));
        expect(left.length, `${value.slice(0, 99)}: ${reported}`).toBeLessThan(taking.length);
        for (const place of reported) naming.add(place);
        taking = left;
      }
      kept += taking.length;
    }
    expect(kept).toBeGreaterThan(100);
  });

  it("is refused as a name or kept literally", async () => {
    for (const [file, path] of maps) {
      const withNames = (names: readonly string[]) => {
        const document = documents[file]();
        for (const name of names) put(document, [...path, name], {});
        return { [file]: document };
      };
      const reported = await problemsOf(withNames(HOSTILE));
      expect(reported.length).toBeGreaterThan(0);
      const isReported = (name: string) => {
        const place = formatPath([...path, name]);
        return reported.some((each) => each === place || each.startsWith(`${place}.`));
      };
      const left = HOSTILE.filter((name) => !isReported(name));
      if (left.length > 0) expect(await problemsOf(withNames(left)), `${left}`).not.toEqual([]);
    }
  });

  it("that is kept reaches a script on the host as it is, and no shell runs it", () => {
    const args = [...new Set([...words, ...HOSTILE.filter((value) => !/\0|\p{Cs}/u.test(value))])];
    const { script, parse } = inOrder([
      { name: "b", text: `printf '%s\\0' "$@" | base64 -w0`, args, timeoutMs: 30_000 },
    ]);
    const { stdout, stderr } = spawnSync("sh", ["-s"], { input: script, encoding: "utf8", cwd: folder });
    const read = Buffer.from(parse(stdout, stderr)[0]!.stdout, "base64").toString().split("\0");
    expect(read).toEqual([...args, ""]);
    expect(spawnSync("ls", [canary]).status).not.toBe(0);
  });
});
