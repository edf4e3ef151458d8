import type { RunEvent } from "../../engine/events.ts";
import { type WrittenEvent, writtenEvents, writtenRun, writtenRuns } from "../journal.ts";
import { rowName } from "../report/ndjson.ts";

export type EvidenceEvent = Extract<RunEvent, { event: "evidence" }>;

/** A setting whose verdict is another one than it was. */
interface Drifted {
  readonly host: string;
  readonly step: string;
  readonly setting: string;
  readonly was: string;
  readonly is: string;
  readonly isWell: boolean;
}

export interface Drift {
  /** The run that this one is compared with, and when it was begun (ISO 8601). */
  readonly since: { readonly run: string; readonly at: string };
  readonly drifted: readonly Drifted[];
  /** Settings that only this run looked at, and that only the other did. */
  readonly onlyNow: number;
  readonly onlyThen: number;
}

/** Commands that end with evidence of what they looked at. */
const LOOKING: readonly unknown[] = ["verify", "plan", "provision"];

/** What became different since the last run with these files that is written down here; undefined where there is none. */
export function driftSince(
  run: string,
  files: readonly string[],
  rows: readonly EvidenceEvent[],
): Drift | undefined {
  const last = writtenRuns().findLast((name) => name !== run && hasLookedAt(name, files));
  const asked = last === undefined ? undefined : writtenRun(last)?.asked;
  if (last === undefined || asked === undefined) return undefined;
  return driftOf({ run: last, at: asked.ts }, writtenEvents(last) ?? [], rows);
}

function hasLookedAt(name: string, files: readonly string[]): boolean {
  const written = writtenRun(name);
  if (written?.summary === undefined || !LOOKING.includes(written.asked.command)) return false;
  const paths = (written.asked.files as readonly { readonly path: string }[]).map(({ path }) => path);
  return paths.length === files.length && paths.every((path, at) => path === files[at]);
}

/** The same of two runs' evidence: `then` as it is written down. Pure. */
export function driftOf(
  since: Drift["since"],
  then: readonly WrittenEvent[],
  rows: readonly EvidenceEvent[],
): Drift {
  const before = new Map<string, WrittenEvent>();
  for (const event of then)
    if (event.event === "evidence") before.set(key(String(event.host), String(event.row)), event);
  const known = rows.flatMap(({ host, step, evidence }) => {
    const was = before.get(key(host, rowName(step, evidence)));
    return was === undefined ? [] : [{ host, step, evidence, was }];
  });
  return {
    since,
    drifted: known.flatMap(({ host, step, evidence: { setting, verdict }, was }) =>
      was.verdict === verdict
        ? []
        : [{ host, step, setting, was: String(was.verdict), is: verdict, isWell: verdict === "proven" }],
    ),
    onlyNow: rows.length - known.length,
    onlyThen: before.size - known.length,
  };
}

function key(host: string, row: string): string {
  return JSON.stringify([host, row]);
}
