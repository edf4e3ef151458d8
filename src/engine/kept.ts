import { shellWord } from "../command-line.ts";
import type { Change, Command } from "../contract/change.ts";
import type { StepName } from "../contract/names.ts";
import type { AnyStep, ReplacedFile } from "../contract/step.ts";
import { fileFacts } from "../evidence/file.ts";
import { parseProbeOutput, rowsOf } from "../evidence/probe-output.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { lastLines } from "../terminal-text.ts";
import { ChangeFailed } from "./change-failed.ts";
import { isRunName } from "./run-name.ts";
import { inOrder } from "./script-block.ts";

/** One file that a run replaced on a host, as manifest.sh recorded it. Digests are sha256, "-" for no file. */
interface KeptFile {
  readonly path: string;
  readonly step: StepName;
  /** What the run put there last, and what was there before it. */
  readonly wrote: string;
  readonly before: string;
  /** What the manifest said of it before the run: "-" of a file that was not meshctl's. */
  readonly known: string;
}

/** What a host keeps of the runs that changed it. */
export interface Kept {
  /** Run → its files, oldest run first. A file that a run put back itself is none of them. */
  readonly runs: ReadonlyMap<string, readonly KeptFile[]>;
  /** Of the run that was asked for: the files before it and now, with their digests. */
  readonly files: ReadonlyMap<string, ReplacedFile & { readonly present: string }>;
}

const READER = [
  "../evidence/keeper.sh",
  "../evidence/prelude.sh",
  "../host/manifest.sh",
  "./commands/kept.sh",
].map((name) => new URL(name, import.meta.url));

/** Reads the list of a host's runs, and with `run` that run's files. Throws ChangeFailed, HostUnreachable, HostLost. */
export async function readKept(remote: Remote, run?: string): Promise<Kept> {
  const args = run === undefined ? [] : [run];
  const block = {
    name: "kept",
    text: READER.map(scriptText).join("\n"),
    args,
    timeoutMs: 30_000,
  };
  const { script, parse } = inOrder([block]);
  const outcome = await remote.run(script, { during: "reading what runs replaced", timeoutMs: 60_000 });
  const [result] = parse(outcome.stdout, outcome.stderr);
  if (result === undefined || result.exitCode !== 0) {
    const said = lastLines(result?.stderr ?? outcome.stderr) || "it said nothing";
    throw new ChangeFailed(
      remote.host,
      `the files that runs replaced on this host could not be read: ${said}`,
    );
  }
  return keptOf(parseProbeOutput(result.stdout), run);
}

function keptOf(output: ReturnType<typeof parseProbeOutput>, run: string | undefined): Kept {
  const runs = new Map<string, Map<string, KeptFile>>();
  for (const [name, step, wrote, before, path, known] of rowsOf(output, "kept")) {
    // What is told to be typed names them, and the list is the host's.
    if (!isRunName(name!)) continue;
    const files = runs.get(name!) ?? new Map<string, KeptFile>();
    runs.set(name!, files);
    // The first line tells what was there before the run, the last one what it left.
    const first = files.get(path!);
    files.set(path!, {
      path: path!,
      step: step!,
      wrote: wrote!,
      before: first?.before ?? before!,
      known: first?.known ?? known ?? "",
    });
  }
  const facts = fileFacts(output);
  const copies = `/var/lib/meshctl/runs/${run}/before`;
  const files = [...(runs.get(run ?? "")?.values() ?? [])].map(({ path }) => {
    const now = facts.get(path);
    const present = now === undefined || now.kind === "absent" ? "-" : now.sha256;
    return [path, { path, before: facts.get(copies + path)?.content, now: now?.content, present }] as const;
  });
  const changed = [...runs].map(
    ([name, list]) =>
      [name, [...list.values()].filter((file) => file.wrote !== file.before || isAdopted(file))] as const,
  );
  return { runs: new Map(changed.filter(([, list]) => list.length > 0)), files: new Map(files) };
}

/** Whether the run only took a foreign file over, for another writer to replace: the copy is the last of it. */
export function isAdopted({ wrote, before, known }: KeptFile): boolean {
  return wrote === before && before !== "-" && known === "-";
}

/** What putting a step's files back comes to on a host. */
export type PutBackPlan =
  /** The files are as they were before the run, or the run changed none. */
  | { readonly is: "nothing" }
  | { readonly is: "refused"; readonly because: string }
  | { readonly is: "planned"; readonly change: Change };

/**
 * The change that puts back what `run` replaced for a step: all of its files or none. Files that are not as the run
 * left them are somebody's later work, and are named and left alone. A file that was adopted is its new writer's:
 * who asks for it is told so, unless `adopted` is "left". Pure.
 */
export function planPutBack(
  kept: Kept,
  run: string,
  step: AnyStep,
  facts: unknown,
  adopted: "refused" | "left" = "refused",
): PutBackPlan {
  const commands: Command[] = [];
  for (const entry of (kept.runs.get(run) ?? []).filter((each) => each.step === step.name)) {
    const { path, wrote, before } = entry;
    const file = kept.files.get(path)!;
    if (file.present === before) continue;
    if (isAdopted(entry) && adopted === "left") continue;
    if (isAdopted(entry)) return { is: "refused", because: adoptedWords(run, path) };
    if (file.present !== wrote)
      return { is: "refused", because: changedSince(kept, run, path, file.present) };
    const because = step.service?.keeps?.(file, facts);
    if (because !== undefined) return { is: "refused", because: `${path}: ${because}` };
    const diff = { path, was: file.now, want: file.before ?? "" };
    commands.push({ kind: "restore", path, from: run, expected: file.present, before, diff });
  }
  if (commands.length === 0) return { is: "nothing" };
  const paths = commands.flatMap((command) => (command.kind === "restore" ? [command.path] : []));
  const activate = facts === undefined ? [] : (step.service?.activate(facts, paths) ?? []);
  return {
    is: "planned",
    change: {
      id: `restore ${run}`,
      why: `the files that run ${run} replaced are put back`,
      ...(activate.length > 0 ? { warning: `${step.title}: started anew or reloaded with these files` } : {}),
      commands,
      activate,
    },
  };
}

/** Where a host keeps what was at a path before a run. */
export function copyOf(run: string, path: string): string {
  return `/var/lib/meshctl/runs/${run}/before${path}`;
}

/** Its new writer would write it again at once: who wants the old file back has to end that first. */
function adoptedWords(run: string, path: string): string {
  const copy = copyOf(run, path);
  return `${path} was adopted, and has a writer of meshctl's since: take the step that writes it now away from the host, then put the copy back (on the host: cp -p ${shellWord(copy)} ${shellWord(path)})`;
}

function changedSince({ runs }: Kept, run: string, path: string, present: string): string {
  const later = [...runs.keys()].slice([...runs.keys()].indexOf(run) + 1);
  const writer = later.findLast((name) =>
    runs.get(name)!.some((file) => file.path === path && file.wrote === present),
  );
  if (writer !== undefined) {
    return `run ${writer} has changed ${path} since: put that back first, "meshctl restore ${writer}"`;
  }
  const copy = copyOf(run, path);
  return `${path} has changed since run ${run}: look at it, and at what was there before (on the host: diff ${shellWord(path)} ${shellWord(copy)})`;
}

/** What was done to each file, in words: "/a is back, /b is removed again". */
export function putBackWords({ commands }: Change): string {
  return commands
    .flatMap((command) => {
      if (command.kind !== "restore") return [];
      return [`${command.path} is ${command.before === "-" ? "removed again" : "back as it was"}`];
    })
    .join(", ");
}
