import type { ChalkInstance } from "chalk";
import { createTwoFilesPatch } from "diff";
import type { FileDiff } from "../../contract/change.ts";
import { maskForeignSecrets } from "../../foreign-secrets.ts";
import { maskSecrets } from "../../secret.ts";

const MOST_LINES = 60;
/** A new file is not compared with anything: only a short one is worth its lines. */
const MOST_LINES_OF_NEW = 20;
/** Work and memory grow with the square of it: the text may be a hostile host's. */
const MOST_EDITS = 2_000;

export interface DiffOptions {
  readonly paint: ChalkInstance;
  readonly verbose: boolean;
  /** With `--no-diff` files are only named. */
  readonly noDiff?: boolean | undefined;
}

/**
 * A unified diff of a file; unless verbose it is cut, and a long new file is only named. Secrets are masked, also those
 * of files that meshctl did not write, where they look like secrets.
 */
export function diffView(diff: FileDiff, options: DiffOptions): string {
  const { paint, verbose, noDiff } = options;
  if (noDiff)
    return `${paint.bold(`${diff.was === undefined ? "+++" : "±"} ${diff.path}`)} ${paint.dim("(--no-diff)")}`;
  const [was, want] = [diff.was ?? "", diff.want].map(maskForeignSecrets) as [string, string];
  if (was === want && diff.was !== undefined && diff.was !== diff.want)
    return `${paint.bold(`± ${diff.path}`)} ${paint.dim("(differs in what is masked)")}`;
  if (diff.was === undefined && !verbose) {
    const length = diff.want.trimEnd().split("\n").length;
    if (length > MOST_LINES_OF_NEW)
      return `${paint.bold(`+++ ${diff.path}`)} ${paint.dim(`(new, ${length} lines; -v shows them)`)}`;
  }
  const name = diff.was === undefined ? "/dev/null" : diff.path;
  // Nothing is compared where there was nothing.
  const limit = diff.was === undefined ? {} : { maxEditLength: MOST_EDITS };
  const isTooFar = diff.was !== undefined && fewestEdits(was, want) > MOST_EDITS;
  const patch = isTooFar
    ? undefined
    : createTwoFilesPatch(name, diff.path, was, want, "", "", { context: 2, ...limit });
  if (patch === undefined) {
    const [before, after] = [diff.was ?? "", diff.want].map((text) => text.trimEnd().split("\n").length);
    return [
      paint.bold(`--- ${diff.path}`),
      paint.bold(`+++ ${diff.path}`),
      paint.dim(`too large to show: ${before} lines become ${after}, nearly all of them others`),
    ].join("\n");
  }
  // Above the first file name stand a ruler and, for two files of one name, an index line.
  const lines = maskSecrets(patch.slice(patch.indexOf("--- ")))
    .trimEnd()
    .split("\n");
  const shown = verbose ? lines : lines.slice(0, MOST_LINES);
  const painted = shown.map((line) => {
    if (line.startsWith("+++") || line.startsWith("---")) return paint.bold(line.trimEnd());
    if (line.startsWith("@@")) return paint.cyan(line);
    if (line.startsWith("+")) return paint.green(line);
    return line.startsWith("-") ? paint.red(line) : line;
  });
  if (shown.length < lines.length)
    painted.push(paint.dim(`… ${lines.length - shown.length} more lines; -v shows them`));
  return painted.join("\n");
}

/** Lines that one text has and the other has not: no diff of the two has fewer edits. Costs what reading them does. */
function fewestEdits(was: string, want: string): number {
  const left = new Map<string, number>();
  for (const line of linesOf(was)) left.set(line, (left.get(line) ?? 0) + 1);
  for (const line of linesOf(want)) left.set(line, (left.get(line) ?? 0) - 1);
  return [...left.values()].reduce((sum, count) => sum + Math.abs(count), 0);
}

/** Each with its line break, as the diff compares them: a last line without one is another. */
const linesOf = (text: string) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
