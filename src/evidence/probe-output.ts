import { ProbeNotUnderstood, type ProbeOutput } from "../step.ts";
import { quotable } from "../terminal-text.ts";

/** Reads the records that a probe printed with `emit`: key → rows of fields, in order. */
export function parseProbeOutput(text: string): ProbeOutput {
  const records = new Map<string, string[][]>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [key, ...fields] = line.split("\t");
    const rows = records.get(key!) ?? [];
    rows.push(fields.map(decodeField));
    records.set(key!, rows);
  }
  return records;
}

function decodeField(field: string): string {
  return field.startsWith("b64:") ? Buffer.from(field.slice(4), "base64").toString("utf8") : field;
}

/** All rows of a key; empty when the probe emitted none. */
export function rowsOf(output: ProbeOutput, key: string): readonly (readonly string[])[] {
  return output.get(key) ?? [];
}

/** The first field of the only row of a key, or undefined when the probe did not emit it. */
export function fieldOf(output: ProbeOutput, key: string): string | undefined {
  const rows = rowsOf(output, key);
  if (rows.length > 1) throw new ProbeNotUnderstood(`"${key}" was printed ${rows.length} times`);
  return rows[0]?.[0];
}

/** As `fieldOf`, of what a program said: as a part of a sentence. */
export function saidOf(output: ProbeOutput, key: string): string | undefined {
  const said = fieldOf(output, key);
  return said === undefined ? undefined : quotable(said);
}

/** As `fieldOf`, for keys that the probe always prints. */
export function requiredFieldOf(output: ProbeOutput, key: string): string {
  const value = fieldOf(output, key);
  if (value === undefined) throw new ProbeNotUnderstood(`"${key}" was not printed`);
  return value;
}
