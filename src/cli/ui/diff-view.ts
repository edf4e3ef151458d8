import type { ChalkInstance } from "chalk";
import { createTwoFilesPatch } from "diff";
import { maskSecrets } from "../../secret.ts";
import type { FileDiff } from "../../step.ts";

const MOST_LINES = 60;

/** A unified diff of a file, cut after 60 lines unless verbose. Secrets are masked. */
export function diffView(
  diff: FileDiff,
  options: { readonly paint: ChalkInstance; readonly verbose: boolean },
): string {
  const { paint } = options;
  const patch = createTwoFilesPatch(
    diff.was === undefined ? "/dev/null" : diff.path,
    diff.path,
    diff.was ?? "",
    diff.want,
    "",
    "",
    { context: 2 },
  );
  const lines = maskSecrets(patch).trimEnd().split("\n").slice(1);
  const shown = options.verbose ? lines : lines.slice(0, MOST_LINES);
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
