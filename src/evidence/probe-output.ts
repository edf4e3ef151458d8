import { NotUnderstood } from "../reader/answer.ts";

/** The records that a script printed with `emit` (see prelude.sh): key → rows of fields, in order. */
export type ProbeOutput = ReadonlyMap<string, readonly (readonly string[])[]>;

/** A host with every package of a desktop and a listener on every tenth port has fewer. */
const MOST_RECORDS = 20_000;
const MOST_FIELDS = 64;

/**
 * Reads the records that a probe printed with `emit`: key → rows of fields, in order. Throws NotUnderstood when
 * they are more than a host has: what reads them may compare each with each.
 */
export function parseProbeOutput(text: string): ProbeOutput {
  const records = new Map<string, string[][]>();
  let count = 0;
  for (let from = 0; from < text.length; ) {
    const lineBreak = text.indexOf("\n", from);
    const end = lineBreak === -1 ? text.length : lineBreak;
    if (end > from) {
      count += 1;
      if (count > MOST_RECORDS) throw new NotUnderstood(`it printed more than ${MOST_RECORDS} records`);
      const [key, ...fields] = text.slice(from, end).split("\t", MOST_FIELDS + 2);
      if (fields.length > MOST_FIELDS)
        throw new NotUnderstood(`a record has more than ${MOST_FIELDS} fields`);
      const rows = records.get(key!) ?? [];
      rows.push(fields.map(decodeField));
      records.set(key!, rows);
    }
    from = end + 1;
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
