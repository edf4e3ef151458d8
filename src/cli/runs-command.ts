import { ConfigurationError } from "../errors.ts";
import {
  hasChanged,
  type WrittenEvent,
  type WrittenRun,
  writtenEvents,
  writtenRun,
  writtenRuns,
} from "./journal.ts";
import { shownData, shownText } from "./shown.ts";
import { tableOf } from "./ui/columns.ts";

export interface RunsFlags {
  readonly json?: boolean;
  readonly color: boolean;
}

/** Lists the runs that are written down, or tells of one. Throws ConfigurationError when nothing is written of it. */
export function runsCommand(run: string | undefined, { json }: RunsFlags): void {
  if (run === undefined) {
    const all = writtenRuns().flatMap((name) => rowOf(name) ?? []);
    process.stdout.write(json ? `${JSON.stringify(all)}\n` : `${listOf(all)}\n`);
    return;
  }
  const written = writtenRun(run);
  if (written === undefined)
    throw new ConfigurationError(`nothing is written of run ${run} on this machine: see "meshctl runs"`);
  const events = writtenEvents(run)!;
  const text = json
    ? events.map((event) => JSON.stringify(event)).join("\n")
    : shownText(storyOf(run, written, events));
  process.stdout.write(`${text}\n`);
}

function rowOf(run: string) {
  const written = writtenRun(run);
  if (written === undefined) return undefined;
  const { asked, summary, outcomes } = written;
  return {
    run,
    since: asked.ts,
    by: `${asked.user} on ${asked.on}`,
    command: commandOf(asked),
    hosts: outcomes.length,
    changed: outcomes.filter(hasChanged).length,
    /** Undefined of a run that lives or was killed. */
    exit_code: summary?.exit_code,
  };
}

function commandOf(asked: WrittenEvent): string {
  return [asked.command, ...(asked.arguments as readonly string[])].join(" ");
}

function listOf(runs: readonly NonNullable<ReturnType<typeof rowOf>>[]): string {
  if (runs.length === 0) return "No run is written down on this machine.";
  const rows = runs.map(({ run, since, by, command, hosts, changed, exit_code }) => [
    run,
    since.slice(0, 19).replace("T", " "),
    by,
    command,
    `${hosts}`,
    `${changed}`,
    `${exit_code ?? "none"}`,
  ]);
  const head = ["run", "since", "by", "command", "hosts", "changed", "exit code"];
  return tableOf(shownData([head, ...rows]), process.stdout.columns);
}

function storyOf(
  run: string,
  { asked, summary, outcomes }: WrittenRun,
  events: readonly WrittenEvent[],
): string {
  const lines = [
    `run      ${run}`,
    `asked    meshctl ${commandOf(asked)}`,
    `by       ${asked.user} on ${asked.on}, ${asked.ts}`,
    ...(asked.files as readonly { path: string; sha256?: string }[]).map(
      ({ path, sha256 }) =>
        `file     ${path}${sha256 === undefined ? "" : `, sha256 ${sha256.slice(0, 16)}…`}`,
    ),
    summary === undefined
      ? "ended    it did not: it lives, or was killed"
      : `ended    exit code ${summary.exit_code} after ${(Number(summary.duration_ms) / 1000).toFixed(1)} s`,
  ];
  const told = events.flatMap((event) => {
    const at = event.ts.slice(11, 19);
    const where = [event.host, event.step, event.change].filter((word) => word !== undefined).join(" · ");
    if (event.event === "changed") return [`${at} ${where}: proven`];
    if (event.event === "changing") return [`${at} ${where}: ${event.why}`];
    if (["failed", "putting-back", "put-back"].includes(event.event))
      return [`${at} ${where}: ${event.event}: ${event.because}`];
    return event.event === "note" ? [`${at} ${event.text}`] : [];
  });
  const ends = outcomes.map(
    ({ host, outcome, because }) => `${host}: ${outcome}${because === undefined ? "" : `: ${because}`}`,
  );
  return [lines, told, ends]
    .filter((part) => part.length > 0)
    .map((part) => part.join("\n"))
    .join("\n\n");
}
