import type { WrittenEvent, WrittenRun } from "./journal.ts";

/** One thing that two runs have otherwise. */
export interface Differing {
  readonly what: string;
  readonly was: string;
  readonly is: string;
}

/** In what two runs differ: what they were asked for, how they ended, and what they saw last of each setting. */
export interface RunDifference {
  readonly runs: readonly [string, string];
  readonly asked: readonly Differing[];
  readonly outcomes: readonly Differing[];
  readonly rows: readonly Differing[];
  /** Settings that only the one looked at, and only the other. */
  readonly onlyIn: readonly [number, number];
}

type Told = WrittenRun & { readonly run: string; readonly events: readonly WrittenEvent[] };

/** Pure. */
export function runDifference(before: Told, after: Told): RunDifference {
  const [rowsBefore, rowsAfter] = [rowsOf(before), rowsOf(after)];
  const both = [...rowsAfter].filter(([row]) => rowsBefore.has(row));
  return {
    runs: [before.run, after.run],
    asked: differing(aboutOf(before), aboutOf(after)),
    outcomes: differing(outcomesOf(before), outcomesOf(after)),
    rows: differing(rowsBefore, new Map(both)),
    onlyIn: [rowsBefore.size - both.length, rowsAfter.size - both.length],
  };
}

/** As it was typed. */
export function commandOf(asked: WrittenEvent): string {
  return [asked.command, ...(asked.arguments as readonly string[])].join(" ");
}

/** Files with what tells one content from another. */
export function filesOf({ files }: WrittenEvent): readonly string[] {
  const known = files as readonly { path: string; sha256?: string; commit?: string }[];
  return known.map(({ path, sha256, commit }) =>
    [
      path,
      ...(sha256 === undefined ? [] : [`sha256 ${sha256.slice(0, 16)}…`]),
      ...(commit === undefined ? [] : [`commit ${commit.slice(0, 12)}`]),
    ].join(", "),
  );
}

function aboutOf({ asked }: Told): ReadonlyMap<string, string> {
  return new Map([
    ["command", commandOf(asked)],
    ["by", `${asked.user} on ${asked.on}`],
    ["files", filesOf(asked).join("; ")],
  ]);
}

function outcomesOf({ outcomes, summary }: Told): ReadonlyMap<string, string> {
  const hosts = outcomes.map(({ host, outcome, because, changed }): [string, string] => {
    const changes = changed.length === 0 ? "" : `, changed ${changed.map(({ change }) => change).join(", ")}`;
    return [host, `${outcome}${changes}${because === undefined ? "" : `: ${because}`}`];
  });
  const ended = summary === undefined ? "it did not end" : `${summary.exit_code}`;
  return new Map([["exit code", ended], ...hosts]);
}

/** What was seen last of each setting. */
function rowsOf({ events }: Told): ReadonlyMap<string, string> {
  return new Map(
    events
      .filter(({ event }) => event === "evidence")
      .map(({ host, step, setting, verdict, want, on_disk, in_force }) => [
        `${host} · ${step} · ${setting}`,
        // What is proven may be so in many ways: a clock is ahead by 1 ms or by 2.
        verdict === "proven"
          ? `proven: ${want}`
          : `${verdict}: want ${want}, on disk ${layerText(on_disk)}, in force ${layerText(in_force)}`,
      ]),
  );
}

function layerText(layer: unknown): string {
  const { is, value } = layer as { readonly is: string; readonly value?: string };
  return value ?? (is === "inapplicable" ? "–" : is);
}

function differing(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly Differing[] {
  return [...after].flatMap(([what, is]) => {
    const was = before.get(what) ?? "–";
    return was === is ? [] : [{ what, was, is }];
  });
}
