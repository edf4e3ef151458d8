import type { ChalkInstance } from "chalk";
import type { HostOutcome } from "../../engine/events.ts";
import { maskSecrets } from "../../secret.ts";
import { shownData } from "../shown.ts";

/** What changed on which host and why, and how it ended. Hosts that ended alike share an entry. */
export function summaryView(
  ended: { readonly hosts: readonly HostOutcome[]; readonly durationMs: number; readonly exitCode: number },
  paint: ChalkInstance,
): string {
  const summary = shownData(ended);
  const alike = new Map<string, string[]>();
  for (const outcome of summary.hosts) {
    const text = outcomeText(outcome, paint);
    alike.set(text, [...(alike.get(text) ?? []), outcome.host]);
  }
  const lines = [...alike].map(([text, hosts]) => `${paint.bold(hosts.join(", "))}  ${text}`);
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

/** All that is said of a host but its name. */
function outcomeText({ is, because, changed, unproven }: HostOutcome, paint: ChalkInstance): string {
  const word = ["as wanted", "restored"].includes(is) ? paint.green(is) : paint.red(is);
  const changes = changed.length;
  // Of a host that is not as wanted the reason below tells more.
  const nothing = is === "as wanted" ? "nothing changed" : "";
  const proved = changes === 0 ? nothing : `${changes} ${changes === 1 ? "change" : "changes"}`;
  const putBack = unproven.filter((change) => change.putBack).length;
  const begun = unproven.length - putBack;
  const tail =
    unproven.length === 0
      ? proved
      : [
          `${changes} proven`,
          ...(begun > 0 ? [`${begun} begun and not proven`] : []),
          ...(putBack > 0 ? [`${putBack} put back`] : []),
        ].join(", ");
  const lines = [`${word}${tail === "" ? "" : `  ${paint.dim(tail)}`}`];
  for (const { step, change, why } of changed) lines.push(paint.dim(`    ${step} · ${change}: ${why}`));
  for (const { step, change, why, putBack } of unproven) {
    const state = putBack ? "put back" : "begun, not proven";
    lines.push(paint.yellow(`    ${step} · ${change}: ${why} (${state})`));
  }
  if (because !== undefined) lines.push(`    ${because}`);
  return lines.join("\n");
}
