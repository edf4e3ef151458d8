import type { ChalkInstance } from "chalk";
import type { HostOutcome } from "../../engine/events.ts";
import { maskSecrets } from "../../secret.ts";

/** What changed on which host and why, and how it ended. */
export function summaryView(
  summary: { readonly hosts: readonly HostOutcome[]; readonly durationMs: number; readonly exitCode: number },
  paint: ChalkInstance,
): string {
  const lines: string[] = [];
  for (const outcome of summary.hosts) {
    const word = outcome.is === "as wanted" ? paint.green(outcome.is) : paint.red(outcome.is);
    const changes = outcome.changed.length;
    const proved = changes === 0 ? "nothing changed" : `${changes} ${changes === 1 ? "change" : "changes"}`;
    const begun = outcome.unproven.length;
    const tail = begun === 0 ? proved : `${changes} proven, ${begun} begun and not proven`;
    lines.push(`${paint.bold(outcome.host)}  ${word}  ${paint.dim(tail)}`);
    for (const { step, change, why } of outcome.changed)
      lines.push(paint.dim(`    ${step} · ${change}: ${why}`));
    for (const { step, change, why } of outcome.unproven)
      lines.push(paint.yellow(`    ${step} · ${change}: ${why} (begun, not proven)`));
    if (outcome.because !== undefined) lines.push(`    ${outcome.because}`);
  }
  const count = (is: HostOutcome["is"]) => summary.hosts.filter((outcome) => outcome.is === is).length;
  const counts = (["as wanted", "drift", "failed", "unreachable", "interrupted"] as const)
    .filter((is) => count(is) > 0)
    .map((is) => `${count(is)} ${is}`);
  const execs = summary.hosts.reduce((sum, { execs }) => sum + execs, 0);
  lines.push(
    `${counts.join(", ")} · ${(summary.durationMs / 1000).toFixed(1)} s · ${execs} SSH ${execs === 1 ? "exec" : "execs"}`,
  );
  return maskSecrets(lines.join("\n"));
}
