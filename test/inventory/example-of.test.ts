import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { alternatives, exampleOf, type JsonSchema } from "../../src/inventory/example-of.ts";
import { formatPath } from "../../src/inventory/path.ts";
import { Secret } from "../../src/secret.ts";
import { documents, fields, put } from "../hostile-files.ts";

/** What the schema knows at a place, as the checks look it up. */
function nodesAt(schema: z.ZodType, path: readonly (string | number)[]): JsonSchema[] {
  const whole: JsonSchema = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return path.reduce<JsonSchema[]>(
    (here, part) =>
      alternatives(here).flatMap((each) => {
        const child =
          typeof part === "number" ? each.items : (each.properties?.[part] ?? each.additionalProperties);
        return typeof child === "object" && !Array.isArray(child) ? [child as JsonSchema] : [];
      }),
    [whole],
  );
}

const tags = ["!env", "!file", "!command"].map((tag) => ({
  tag,
  resolve: () => new Secret("sixteen characters"),
}));
/** Named by people, or refused whatever it says. */
const WITHOUT =
  /"net\.core\.x"|tcp_tw_recycle|allow_os|"\/etc\/free"$|"free\.service"$|services\.s$|labels\.s$|sections\.undefined|\.t\[0\]$|files\[0\]$/;

describe("the example of a key", () => {
  const known = fields.flatMap(({ schema, ...field }) =>
    schema === undefined ? [] : [{ ...field, schema }],
  );
  it.each(
    known.map((field) => [formatPath(field.path), field] as const).filter(([name]) => !WITHOUT.test(name)),
  )("of %s is one that its schema takes", (_, { file, path, schema }) => {
    const text = exampleOf(path, alternatives(nodesAt(schema.whole, path.slice(schema.at))));
    expect(text).toBeDefined();
    const example: unknown = parse(text!, { customTags: tags });
    const value = Array.isArray(example) ? example[0] : Object.values(example as object)[0];
    const own = path
      .slice(0, schema.at)
      .reduce<unknown>((here, key) => (here as never)[key], documents[file]());
    const rest = { ...(own as object) } as Parameters<typeof put>[0];
    const { issues } = schema.whole.safeParse(put(rest, path.slice(schema.at), value)).error ?? {
      issues: [],
    };
    const inner = formatPath(path.slice(schema.at));
    expect(
      issues.filter(
        (issue) =>
          formatPath(issue.path as string[]).startsWith(inner) && !issue.message.startsWith("needs "),
      ),
    ).toEqual([]);
  });
});
