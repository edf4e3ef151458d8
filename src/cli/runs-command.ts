import { ConfigurationError } from "../errors.ts";
import { counted } from "../quantity-text.ts";
import {
  hasChanged,
  type WrittenEvent,
  type WrittenRun,
  writtenEvents,
  writtenRun,
  writtenRuns,
} from "./journal.ts";
import { commandOf, type Differing, filesOf, type RunDifference, runDifference } from "./run-difference.ts";
import { shownData, shownText } from "./shown.ts";
import { tableOf } from "./ui/columns.ts";
import { brokenFor } from "./ui/wrapped.ts";

export interface RunsFlags {
  readonly json?: boolean;
  readonly color: boolean;
}

/**
 * Lists the runs that are written down, tells of one, or in what two differ; "show" and "diff" may stand before their
 * names. Throws ConfigurationError where nothing is written of one.
 */
export function runsCommand(words: readonly string[], { json }: RunsFlags): void {
  const named = ["show", "diff"].includes(words[0] ?? "") ? words.slice(1) : words;
  const [run, other] = named;
  if (words[0] === "diff" ? named.length !== 2 : named.length > 2)
    throw new ConfigurationError("name two runs to see what differs: meshctl runs diff RUN RUN");
  if (run !== undefined && other !== undefined) {
    const difference = differenceOf(run, other);
    process.stdout.write(json ? `${JSON.stringify(difference)}\n` : `${shownForPerson(told(difference))}\n`);
    return;
  }
  if (run === undefined) {
    const all = writtenRuns().flatMap((name) => rowOf(name) ?? []);
    process.stdout.write(json ? `${JSON.stringify(all)}\n` : `${listOf(all)}\n`);
    return;
  }
  const { events, ...written } = knownRun(run);
  const text = json
    ? events.map((event) => JSON.stringify(event)).join("\n")
    : shownForPerson(storyOf(run, written, events));
  process.stdout.write(`${text}\n`);
}

function shownForPerson(text: string): string {
  return brokenFor(process.stdout, shownText(text));
}

function knownRun(run: string): WrittenRun & { readonly events: readonly WrittenEvent[] } {
  const written = writtenRun(run);
  if (written === undefined)
    throw new ConfigurationError(`nothing is written of run ${run} on this machine: see "meshctl runs"`);
  return { ...written, events: writtenEvents(run)! };
}

function differenceOf(first: string, second: string): RunDifference {
  return runDifference({ run: first, ...knownRun(first) }, { run: second, ...knownRun(second) });
}

/** Two runs side by side, what is alike left out. */
function told({ runs, asked, outcomes, rows, onlyIn }: RunDifference): string {
  const side = (was: string, is: string) => `    ${runs[0]}  ${was}\n    ${runs[1]}  ${is}`;
  const list = (title: string, differing: readonly Differing[]) =>
    differing.length === 0
      ? []
      : [title, ...differing.map(({ what, was, is }) => `  ${what}\n${side(was, is)}`)];
  const alone = onlyIn.flatMap((count, at) =>
    count === 0 ? [] : [`${counted(count, "setting")} only in ${runs[at]}`],
  );
  const parts = [...list("asked", asked), ...list("outcome", outcomes), ...list("settings", rows), ...alone];
  return parts.length === 0 ? `${runs.join(" and ")} are alike.` : parts.join("\n");
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

function listOf(runs: readonly NonNullable<ReturnType<typeof rowOf>>[]): string {
  if (runs.length === 0) return "No run is written down on this machine.";
  const rows = runs.map(({ run, by, command, hosts, changed, exit_code }) => [
    run,
    by,
    command,
    `${changed} of ${hosts}`,
    `${exit_code ?? "none"}`,
  ]);
  const head = ["run", "by", "command", "changed", "exit"];
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
    ...filesOf(asked).map((file) => `file     ${file}`),
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
