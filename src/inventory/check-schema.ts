import * as z from "zod";
import { onceEach } from "../once-each.ts";
import { isPlainMap } from "../plain-map.ts";
import { alternatives, exampleOf, type JsonSchema } from "./example-of.ts";
import { expectation, UNION } from "./expectation.ts";
import { wordHere } from "./foreign-words.ts";
import { didYouMean, nearestName } from "./nearest-name.ts";
import type { Path } from "./path.ts";
import type { Origin, Problems } from "./problems.ts";
import { missingColon } from "./shape-hint.ts";

/** What is wrong with a value; `path` is within it. */
interface Complaint {
  readonly path: Path;
  readonly at: "key" | "value";
  readonly message: string;
  /** Whether a number was expected and another kind of value is there. */
  readonly wantsNumber?: boolean;
  /** The known key that an unknown one most likely means. */
  readonly meant?: string | undefined;
}

/** Where the value at a path within the checked one came from. */
export type Locate = (path: Path) => Origin;

/**
 * The typed value, or undefined after reporting each problem at its own key's place in human words.
 * A schema's own message that begins with "expected " is completed with what was found; any other stands as it is.
 */
export function checkSchema<T>(
  schema: z.ZodType<T>,
  value: unknown,
  locate: Locate,
  report: Problems["add"],
): { readonly value: T } | undefined {
  // Files are checked once: to compile a schema takes longer than to check by it.
  const result = parse(schema, value);
  if (result.success) return { value: result.data };
  const complaints = complaintsOf(schema, value, result.error);
  for (const { path, at, message, wantsNumber, meant } of complaints) {
    const origin = locate(path);
    const found = origin.source.found(origin.path);
    const showsValue = at === "value" && message.startsWith("expected ");
    // Only text is shown in quotes, so this is a number that was written with them.
    const advice = wantsNumber === true && /^'\d+'$/.test(found) ? ": write it without quotes" : "";
    const example = at === "value" ? exampleOf(origin.path, nodesAt(schema, path)) : undefined;
    report(origin, showsValue ? `${message}, found ${found}${advice}` : message, { at, meant, example });
  }
  return undefined;
}

function parse<T>(schema: z.ZodType<T>, value: unknown) {
  return schema.safeParse(value, { error: expectation, jitless: true });
}

/** With a key that stands for one that is missing told as that: `cmd` where `run` would take what it says. */
function complaintsOf(schema: z.ZodType, value: unknown, error: z.ZodError): Complaint[] {
  const complaints = error.issues.flatMap((issue) => explain(issue, [], schema));
  const strange = complaints.filter(({ at, message }) => at === "key" && isUnknown(message));
  const missing = complaints.filter(({ at, path }) => at === "value" && !isThere(value, path));
  if (strange.length === 0 || missing.length === 0) return complaints;
  return complaints.map((complaint) => {
    if (!strange.includes(complaint) || complaint.meant !== undefined) return complaint;
    const map = complaint.path.slice(0, -1);
    const lacks = missing
      .filter(({ path }) => isSame(path.slice(0, -1), map))
      .map(({ path }) => String(path.at(-1)));
    if (!/^unknown key(?:; known are .*)?$/.test(complaint.message)) return complaint;
    const fitting = lacks.find((key) => fits(schema, value, complaint.path, key, complaints.length));
    if (fitting === undefined) return complaint;
    return { ...complaint, meant: fitting, message: `unknown key; did you mean '${fitting}'?` };
  });
}

/** Whether less is wrong when the key at the path has another name. */
function fits(schema: z.ZodType, value: unknown, path: Path, key: string, before: number): boolean {
  const copy = structuredClone(value) as Record<string | number, unknown>;
  const map = path.slice(0, -1).reduce((here, part) => here[part] as typeof copy, copy);
  map[key] = map[path.at(-1)!];
  delete map[path.at(-1)!];
  const { error } = parse(schema, copy);
  const after = error?.issues.flatMap((issue) => explain(issue, [], schema)).length ?? 0;
  return after <= before - 2;
}

function isThere(value: unknown, path: Path): boolean {
  let here = value;
  for (const part of path) {
    if (!(isPlainMap(here) || Array.isArray(here)) || !Object.hasOwn(here, part)) return false;
    here = (here as Record<string | number, unknown>)[part];
  }
  return true;
}

function isSame(one: Path, other: Path): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isUnknown(message: string): boolean {
  return message.startsWith("unknown key");
}

function explain(issue: z.core.$ZodIssue, base: Path, schema: z.ZodType): Complaint[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, path);
    return issue.keys.map((name) => ({
      path: [...path, name],
      at: "key",
      message: unknownKey(name, known),
      meant: meantKey(name, known),
    }));
  }
  if (issue.code === "invalid_key") {
    return [
      { path, at: "key", message: `${issue.issues[0]?.message ?? issue.message}, found '${path.at(-1)}'` },
    ];
  }
  if (issue.code === "invalid_union" && issue.message === UNION) {
    // The branch that the value's own type fits tells what is wrong inside it.
    const fitting = issue.errors.find((branch) =>
      branch.every((inner) => inner.path.length > 0 || inner.code === "unrecognized_keys"),
    );
    if (fitting !== undefined && fitting.length > 0) {
      return fitting.flatMap((inner) => explain(inner, path, schema));
    }
    const words = issue.errors.flatMap((branch) => branch.slice(0, 1)).map(({ message }) => message);
    return [{ path, at: "value", message: joinExpectations(words) }];
  }
  const wantsNumber =
    issue.code === "invalid_type"
      ? ["number", "int"].includes(issue.expected)
      : issue.code === "invalid_value" && issue.values.every((value) => typeof value === "number");
  const at = issue.code === "custom" && issue.params?.at === "key" ? "key" : "value";
  return [{ path, at, message: issue.message, wantsNumber }];
}

/** "unknown key; did you mean 'port'?", what a key of another tool is called here, or the keys there are when they are few. */
export function unknownKey(name: string, known: readonly string[]): string {
  const colon = known.some((key) => /^[:=]/.test(name.slice(key.length)) && name.startsWith(key))
    ? missingColon(name)
    : undefined;
  if (colon !== undefined) return `unknown key; ${colon}`;
  const meant = didYouMean(name, known);
  // What is known of another tool is meant rather than a word that looks alike.
  const here = wordHere(name, known);
  if (here !== undefined) return `unknown key; ${here}`;
  if (meant !== "" || known.length === 0 || known.length > MOST_KEYS) return `unknown key${meant}`;
  return `unknown key; known are ${known.join(", ")}`;
}

/** The key that is there under this name: one that looks alike, or the word for it here. */
export function meantKey(name: string, known: readonly string[]): string | undefined {
  const named = /`(\w+): /.exec(wordHere(name, known) ?? "")?.[1];
  const joined = /^(\w+)[:=]/.exec(name)?.[1];
  if (joined !== undefined && known.includes(joined)) return joined;
  return nearestName(name, known) ?? (named !== undefined && known.includes(named) ? named : undefined);
}

/** More are no help: docs/keys.md has them all. */
const MOST_KEYS = 24;

function joinExpectations(messages: readonly string[]): string {
  const words = [...new Set(messages)].map((message) => message.replace(/^expected /, ""));
  return `expected ${words.join(" or ")}`;
}

/** Keys that the schema knows for the map at the path. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  return nodesAt(schema, path).flatMap((each) => Object.keys(each.properties ?? {}));
}

/** Made when the first mistake in what a schema checks is told, and kept for the others. */
const jsonSchemaOf = onceEach(
  (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
);

/** What may stand at the path, by the schema. */
function nodesAt(schema: z.ZodType, path: Path): JsonSchema[] {
  let here: JsonSchema[] = [jsonSchemaOf(schema)];
  for (const part of path) {
    here = alternatives(here).flatMap((each) => {
      const child =
        typeof part === "number" ? each.items : (each.properties?.[part] ?? each.additionalProperties);
      return typeof child === "object" && !Array.isArray(child) ? [child as JsonSchema] : [];
    });
  }
  return alternatives(here);
}
