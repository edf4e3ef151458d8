import type { JsonSchema } from "../../src/inventory/json-schema.ts";

/** One key of a file, as a table of a manual has it. */
interface Key {
  /** "mesh.services.NAME.port"; of a list "[]" stands for each entry. */
  readonly path: string;
  readonly description: string;
  readonly fallback: unknown;
}

const NO_STEP: ReadonlySet<string> = new Set();

/** Every key of a JSON Schema, those of maps with names of the user's own under NAME. Keys of `leftOut` are not entered. */
export function keysOf(
  schema: JsonSchema,
  leftOut: ReadonlySet<string> = NO_STEP,
  above = "",
): readonly Key[] {
  const {
    properties = {},
    additionalProperties,
    items,
  } = schema as {
    properties?: Record<string, JsonSchema>;
    additionalProperties?: JsonSchema | boolean;
    items?: JsonSchema;
  };
  const found = Object.entries(properties)
    .filter(([key]) => !leftOut.has(key))
    .flatMap(([key, value]) => {
      const path = above === "" ? key : `${above}.${key}`;
      const { description = "", default: fallback } = value as { description?: string; default?: unknown };
      return [{ path, description, fallback }, ...keysOf(value, leftOut, path)];
    });
  const named =
    typeof additionalProperties === "object" ? keysOf(additionalProperties, leftOut, `${above}.NAME`) : [];
  const listed = items === undefined ? [] : keysOf(items, leftOut, `${above}[]`);
  const either = ["anyOf", "oneOf", "allOf"].flatMap((of) =>
    ((schema[of] ?? []) as JsonSchema[]).flatMap((each) => keysOf(each, leftOut, above)),
  );
  // What several forms share is said once.
  const all = [...found, ...named, ...listed, ...either];
  return all.filter(({ path }, at) => all.findIndex((other) => other.path === path) === at);
}

const isList = (value: unknown) => Array.isArray(value) && value.length > 0;

/** As Markdown's formatter lays it out. */
export function tableOf(keys: readonly Key[]): string {
  const shown = ({ fallback }: Key) =>
    fallback === undefined || (typeof fallback === "object" && !isList(fallback))
      ? ""
      : `\`${JSON.stringify(fallback)}\``;
  return markdownTable([
    ["key", "", "default"],
    ...keys.map((key) => [`\`${key.path}\``, key.description, shown(key)]),
  ]);
}

/** Rows of text, the first of which is the head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = cells[0]!.map((_, at) => Math.max(3, ...cells.map((row) => row[at]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  const [head, ...rest] = cells.map(line);
  return [head, line(widths.map((width) => "-".repeat(width))), ...rest].join("\n");
}
