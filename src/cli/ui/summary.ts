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
    const word = ["as wanted", "restored"].includes(outcome.is)
      ? paint.green(outcome.is)
      : paint.red(outcome.is);
    const changes = outcome.changed.length;
    // Of a host that is not as wanted the reason below tells more.
    const nothing = outcome.is === "as wanted" ? "nothing changed" : "";
    const proved = changes === 0 ? nothing : `${changes} ${changes === 1 ? "change" : "changes"}`;
    const putBack = outcome.unproven.filter((change) => change.putBack).length;
    const begun = outcome.unproven.length - putBack;
    const tail =
      outcome.unproven.length === 0
        ? proved
        : [
            `${changes} proven`,
            ...(begun > 0 ? [`${begun} begun and not proven`] : []),
            ...(putBack > 0 ? [`${putBack} put back`] : []),
          ].join(", ");
    lines.push(`${paint.bold(outcome.host)}  ${word}${tail === "" ? "" : `  ${paint.dim(tail)}`}`);
    for (const { step, change, why } of outcome.changed)
      lines.push(paint.dim(`    ${step} · ${change}: ${why}`));
    for (const { step, change, why, putBack } of outcome.unproven) {
      const state = putBack ? "put back" : "begun, not proven";
      lines.push(paint.yellow(`    ${step} · ${change}: ${why} (${state})`));
    }
    if (outcome.because !== undefined) lines.push(`    ${outcome.because}`);
  }
  const count = (is: HostOutcome["is"]) => summary.hosts.filter((outcome) => outcome.is === is).length;
  const counts = (["as wanted", "restored", "drift", "failed", "unreachable", "interrupted"] as const)
    .filter((is) => count(is) > 0)
    .map((is) => `${count(is)} ${is}`);
  const execs = summary.hosts.reduce((sum, { execs }) => sum + execs, 0);
  lines.push(
    `${counts.join(", ")} · ${(summary.durationMs / 1000).toFixed(1)} s · ${execs} SSH ${execs === 1 ? "exec" : "execs"}`,
  );
  return maskSecrets(lines.join("\n"));
}
