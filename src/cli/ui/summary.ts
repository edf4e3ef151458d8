import type { ChalkInstance } from "chalk";
import type { HostOutcome } from "../../engine/events.ts";
import { maskSecrets } from "../../secret.ts";
import { shownData } from "../shown.ts";
import { folded, someNames, withoutOwn } from "./fold.ts";

/**
 * What changed on which host and why, and how it ended. Hosts that ended alike share an entry; where they are many, also when
 * their words differ in nothing but their own name, addresses and moments. `addressesOf` tells a host's own.
 */
export function summaryView(
  ended: { readonly hosts: readonly HostOutcome[]; readonly durationMs: number; readonly exitCode: number },
  paint: ChalkInstance,
  addressesOf: (host: string) => readonly string[] = () => [],
): string {
  const summary = shownData(ended);
  const told = summary.hosts.map((outcome) => {
    const own = addressesOf(outcome.host);
    return {
      host: outcome.host,
      text: outcomeText(outcome, paint),
      // Of one that nobody reached the only address is where it was looked for.
      isOwn: (address: string) => outcome.is === "unreachable" || own.includes(address),
    };
  });
  const alike = folded(
    told,
    ({ text }) => text,
    ({ host, text, isOwn }) => withoutOwn(text, host, isOwn),
  );
  const lines = alike.map(({ first, all }) => {
    const names = someNames(all.map(({ host }) => host));
    const isEachOwn = all.some(({ text }) => text !== first.text);
    return `${paint.bold(names)}  ${first.text}${isEachOwn ? paint.dim(" (and so the others)") : ""}`;
  });
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
