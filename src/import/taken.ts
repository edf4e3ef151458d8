import type * as z from "zod";
import type { Entry } from "./service.ts";

/** What a schema takes of an entry, undefined where that is too little, and what of it it refuses, a sentence each. */
export function takenOf(
  schema: z.ZodType,
  entry: Entry,
): { readonly taken: Entry | undefined; readonly refused: readonly string[] } {
  const taken = structuredClone(entry);
  const refused: string[] = [];
  for (;;) {
    const issues = schema.safeParse(taken).error?.issues ?? [];
    const [issue] = issues;
    if (issue === undefined) return { taken, refused };
    const keys = issue.path.map(String);
    // The innermost key that the entry has: what is missing below it is asked of it.
    let [holder, key]: [Entry, string | undefined] = [taken, undefined];
    for (const each of keys) {
      const inner: unknown = key === undefined ? taken : holder[key];
      if (typeof inner !== "object" || inner === null || Array.isArray(inner) || !(each in inner)) break;
      [holder, key] = [inner as Entry, each];
    }
    if (key === undefined) return { taken: undefined, refused };
    refused.push(`${keys.join(".")} ${shown(holder[key])}: ${sentence(issue.message)}`);
    delete holder[key];
  }
}

/** NaN is none of JSON's. */
function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

/** Zod's own words where the schema has none. */
function sentence(message: string): string {
  return message.replace(/^Invalid input: (expected \w+), received .*/, "$1");
}

/** Why a schema refuses a value; of a key that is none, what it expected. */
export function reasonIn({ issues: [issue] }: z.ZodError): string {
  return (issue?.code === "invalid_key" ? issue.issues[0]?.message : undefined) ?? issue!.message;
}
