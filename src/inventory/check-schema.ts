import * as z from "zod";
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
  const result = schema.safeParse(value, { error: expectation, jitless: true });
  if (result.success) return { value: result.data };
  const complaints = result.error.issues.flatMap((issue) => explain(issue, [], schema));
  for (const { path, at, message, wantsNumber, meant } of complaints) {
    const origin = locate(path);
    const found = origin.source.found(origin.path);
    const showsValue = at === "value" && message.startsWith("expected ");
    // Only text is shown in quotes, so this is a number that was written with them.
    const advice = wantsNumber === true && /^'\d+'$/.test(found) ? ": write it without quotes" : "";
    report(origin, showsValue ? `${message}, found ${found}${advice}` : message, { at, meant });
  }
  return undefined;
}

function explain(issue: z.core.$ZodIssue, base: Path, schema: z.ZodType): Complaint[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, path);
    return issue.keys.map((name) => ({
      path: [...path, name],
      at: "key",
      message: unknownKey(name, known),
      meant: nearestName(name, known),
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
  return [{ path, at: "value", message: issue.message, wantsNumber }];
}

/** "unknown key; did you mean 'port'?", what a key of another tool is called here, or the keys there are when they are few. */
export function unknownKey(name: string, known: readonly string[]): string {
  const colon = known.some((key) => name.startsWith(`${key}:`)) ? missingColon(name) : undefined;
  if (colon !== undefined) return `unknown key; ${colon}`;
  const meant = didYouMean(name, known);
  // What is known of another tool is meant rather than a word that looks alike.
  const here = wordHere(name, known);
  if (here !== undefined) return `unknown key; ${here}`;
  if (meant !== "" || known.length === 0 || known.length > 12) return `unknown key${meant}`;
  return `unknown key; known are ${known.join(", ")}`;
}

function joinExpectations(messages: readonly string[]): string {
  const words = [...new Set(messages)].map((message) => message.replace(/^expected /, ""));
  return `expected ${words.join(" or ")}`;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Keys that the schema knows for the map at the path. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let here: JsonSchema[] = [z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })];
  for (const part of path) {
    here = alternatives(here).flatMap((each) => {
      const child =
        typeof part === "number" ? each.items : (each.properties?.[part] ?? each.additionalProperties);
      return typeof child === "object" && !Array.isArray(child) ? [child as JsonSchema] : [];
    });
  }
  return alternatives(here).flatMap((each) => Object.keys(each.properties ?? {}));
}

function alternatives(schemas: readonly JsonSchema[]): JsonSchema[] {
  return schemas.flatMap((schema) => [
    schema,
    ...alternatives([...(schema.anyOf ?? []), ...(schema.allOf ?? []), ...(schema.oneOf ?? [])]),
  ]);
}
