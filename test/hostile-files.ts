import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { z } from "zod";
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
import { loadFiles } from "../src/playbook/load-files.ts";
import { Secret } from "../src/secret.ts";
import { steps } from "../src/steps/registry.ts";

export type Path = readonly (string | number)[];
export type Json = { [key: string]: unknown };

/** A field that a file may give a value to, in the inventory or in the playbook. */
export interface Field {
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
    services: {
      s: { path: "/s", port: 8080, mode: "http", check: {}, servers: [{ host: "10.0.0.9", port: 80 }] },
      t: { path: "/t", port: 8081, mode: "http" },
    },
  },
});
const playbook = (): Json => ({
  version: 1,
  plays: [
    {
      hosts: "zk",
      steps: {
        ...Object.fromEntries(steps.map(({ name }) => [name, {}])),
        registrar: { services: { s: { port: 9001 }, t: [{ port: 9002 }] } },
        files: { files: { "/etc/own": { content: "x" } }, units: { "own.service": { running: true } } },
      },
    },
  ],
});
export const documents = { "i.yaml": inventory, "p.yaml": playbook };
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
export const maps: readonly (readonly [Field["file"], Path])[] = [
  ["i.yaml", ["hosts"]],
  ["i.yaml", ["groups"]],
  ["i.yaml", ["mesh", "services"]],
  ["p.yaml", ["plays", 0, "steps"]],
  ["p.yaml", ["plays", 0, "steps", "sysctl"]],
  ["i.yaml", []],
];

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Stand for every key that a schema leaves free: the first that fits. */
const FREE_KEYS = ["net.core.x", "/etc/free", "free.service"];

function freeKey({ propertyNames }: JsonSchema): string {
  const { pattern = "" } = typeof propertyNames === "object" ? propertyNames : {};
  return FREE_KEYS.find((key) => new RegExp(pattern, "u").test(key))!;
}

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
      ? leaves(schema.additionalProperties as JsonSchema, [...path, freeKey(schema)])
      : []),
    ...(typeof schema.items === "object" ? leaves(schema.items as JsonSchema, [...path, 0]) : []),
  ];
  return [path, ...within];
}

const unique = (paths: readonly Path[]) => [
  ...new Map(paths.map((path) => [JSON.stringify(path), path])).values(),
];

/** What the registrar registers has the name of a service: "t" has several instances. */
const registered = (path: Path): Path =>
  path.map((key, index) => {
    if (key !== FREE_KEYS[0]) return key;
    return typeof path[index + 1] === "number" ? "t" : "s";
  });

export const fields: readonly Field[] = [
  ...sections.flatMap(([file, at, whole]) =>
    unique(leaves(z.toJSONSchema(whole, { io: "input", unrepresentable: "any" })))
      .filter((path) => path.length > 0)
      .map((path) => [...at, ...path])
      .map((path) => (path.includes("registrar") ? registered(path) : path))
      .map((path): Field => ({ file, path, schema: { whole, at: at.length } })),
  ),
  ...others,
];

export function put(document: Json, path: Path, value: unknown): Json {
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
export function isTaken({ file, path, schema }: Field, value: string): boolean {
  if (schema === undefined) return false;
  const own = structuredClone(valueAt(plain[file], path.slice(0, schema.at))) as Json;
  // Steps' parameters stand beside a host's own keys, and are judged by themselves.
  if (schema.whole === hostEntry) for (const { name } of steps) delete own[name];
  return schema.whole.safeParse(put(own, path.slice(schema.at), value)).success;
}

/** Inventory and playbook, written into a folder and loaded. Those that `changed` does not give are the plain ones. */
export async function load(folder: string, changed: Partial<Record<Field["file"], Json>>) {
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
export async function problemsOf(
  folder: string,
  changed: Parameters<typeof load>[1],
): Promise<readonly string[]> {
  return load(folder, changed).then(() => [], problemsIn);
}

function problemsIn(error: unknown): string[] {
  if (!(error instanceof InvalidFiles)) throw error;
  for (const { line, column } of error.diagnostics) expect(Math.min(line, column)).toBeGreaterThan(0);
  return error.diagnostics.map(({ path }) => path);
}

/** Every text within plain data, maps included; secrets keep theirs. */
export function textsOf(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || value instanceof Secret || seen.has(value)) return [];
  seen.add(value);
  const parts =
    value instanceof Map ? [...value].flat() : Array.isArray(value) ? value : Object.entries(value).flat();
  return parts.flatMap((part) => textsOf(part, seen));
}

/**
 * The files with a hostile value in every field that takes it, together, and which fields those are. A field whose value
 * only the rest of the files refuses is left out, and remembered in `naming` for the next value: it names another thing
 * of the files, or a file on this machine.
 */
export async function takenEverywhere(folder: string, value: string, naming: Set<string>) {
  let taking = fields.filter((field) => !naming.has(formatPath(field.path)) && isTaken(field, value));
  for (;;) {
    const changed = { "i.yaml": inventory(), "p.yaml": playbook() };
    for (const { file, path } of taking) put(changed[file], path, value);
    const loaded = await load(folder, changed).catch(problemsIn);
    if (!Array.isArray(loaded)) return { taking, loaded };
    const left = taking.filter(({ path }) => !loaded.includes(formatPath(path)));
    expect(left.length, `${value.slice(0, 99)}: ${loaded}`).toBeLessThan(taking.length);
    for (const place of loaded) naming.add(place);
    taking = left;
  }
}
