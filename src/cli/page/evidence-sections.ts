import { Chalk } from "chalk";
import type { Evidence, Layer } from "../../contract/reading.ts";
import type { HostOutcome } from "../../engine/events.ts";
import { derivationOf } from "../../evidence/verdict.ts";
import { diffView } from "../ui/diff-view.ts";
import { MARKS } from "../ui/evidence-table.ts";
import type { EvidenceEvent } from "./drift.ts";
import { type Html, html } from "./html.ts";
import { mark } from "./mesh-sections.ts";
import { folded, type Section, table } from "./page.ts";

interface OpenRow {
  readonly row: EvidenceEvent;
  readonly hosts: string[];
}

/** What is open, an item for each step and the hosts that it is alike on: the row that tells most, the others folded. */
export function openItems(rows: readonly EvidenceEvent[]): readonly Html[] {
  const alike = new Map<string, OpenRow>();
  for (const row of rows) {
    const { setting, verdict, because, want } = row.evidence;
    if (verdict === "proven") continue;
    const key = JSON.stringify([row.step, setting, verdict, because, want]);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, { row, hosts: [row.host] });
    else known.hosts.push(row.host);
  }
  const items = new Map<string, OpenRow[]>();
  for (const open of alike.values()) {
    const key = JSON.stringify([open.row.step, open.hosts]);
    items.set(key, [...(items.get(key) ?? []), open]);
  }
  return [...items.values()]
    .map((open) => [...open].sort((one, other) => rank(one) - rank(other)))
    .sort(([one], [other]) => rank(one!) - rank(other!))
    .map(([first, ...others]) => {
      const more =
        others.length === 0
          ? undefined
          : folded(
              html`and ${others.length} more of ${first!.row.step}`,
              html`${others.map((each) => html`<p>${openWords(each)}</p>`)}`,
              false,
            );
      const isWaiting = first!.row.evidence.verdict === "pending";
      return html`<li class="${isWaiting ? "note" : "open"}"><span class="wrong">${MARKS[first!.row.evidence.verdict]}</span> <strong>${first!.hosts.join(", ")}</strong> · ${openWords(first!)}${more}</li>
`;
    });
}

function openWords({ row: { step, evidence } }: OpenRow): Html {
  const { setting, because, verdict } = evidence;
  return html`${step} · ${setting}: ${because ?? verdict}<small>${verdict}: ${derivationOf(evidence)}</small>`;
}

/** What stands in the way tells most, and what only waits for another step is no cause of anything. */
function rank({ row: { evidence } }: OpenRow): number {
  if (evidence.urgent === true) return 0;
  return { blocked: 1, unknown: 2, pending: 9 }[evidence.verdict as string] ?? 5;
}

/** A host for each, those that are not as wanted first and open. */
export function hostsSection(
  outcomes: readonly HostOutcome[],
  rows: readonly EvidenceEvent[],
  options: { readonly noDiff: boolean },
): Section {
  const isWell = ({ is }: HostOutcome) => is === "as wanted";
  const ordered = [...outcomes.filter((host) => !isWell(host)), ...outcomes.filter(isWell)];
  const ofHost = new Map<string, EvidenceEvent[]>(outcomes.map(({ host }) => [host, []]));
  for (const row of rows) ofHost.get(row.host)?.push(row);
  const hosts = ordered.map((outcome) => hostDetails(outcome, ofHost.get(outcome.host)!, options));
  return {
    id: "hosts",
    title: `Evidence of ${outcomes.length} ${outcomes.length === 1 ? "host" : "hosts"}`,
    body: html`${hosts}`,
  };
}

function hostDetails(
  { host, is, because }: HostOutcome,
  rows: readonly EvidenceEvent[],
  options: { readonly noDiff: boolean },
): Html {
  const proven = rows.filter(({ evidence }) => evidence.verdict === "proven").length;
  const isWell = is === "as wanted";
  const boot = rows.find(({ evidence }) => evidence.boot !== undefined)?.evidence.boot;
  const steps = [...new Set(rows.map(({ step }) => step))];
  return folded(
    html`${mark(isWell)} <strong>${host}</strong> ${is}, ${proven} of ${rows.length} settings proven`,
    html`${because === undefined ? undefined : html`<p class="wrong">${because}</p>`}${boot === undefined ? undefined : html`<p class="dim">${boot.words}</p>`}${steps.map(
      (step) =>
        stepDetails(
          step,
          rows.filter((row) => row.step === step).map(({ evidence }) => evidence),
          options,
        ),
    )}`,
    !isWell,
  );
}

function stepDetails(
  step: string,
  rows: readonly Evidence[],
  { noDiff }: { readonly noDiff: boolean },
): Html {
  const open = rows.filter(({ verdict }) => verdict !== "proven");
  const ordered = [...open, ...rows.filter(({ verdict }) => verdict === "proven")];
  const diffs = open.flatMap(({ diff }) =>
    diff?.was === undefined || diff.was === diff.want ? [] : [diffHtml(diff, noDiff)],
  );
  const counts = open.length === 0 ? `${rows.length} proven` : `${open.length} of ${rows.length} not proven`;
  return folded(
    html`${mark(open.length === 0)} ${step}, ${counts}`,
    html`${table(["setting", "want", "on disk", "in force", "verdict"], ordered.map(cellsOf), "evidence")}${diffs}`,
    open.length > 0,
  );
}

function cellsOf(evidence: Evidence): readonly Html[] {
  const { setting, want, onDisk, inForce, verdict, because, warning } = evidence;
  const isWell = verdict === "proven";
  const words = [
    isWell || because === undefined ? undefined : html`<small>${because}</small>`,
    warning === undefined ? undefined : html`<small class="note">! ${warning}</small>`,
  ];
  return [
    html`${setting}${words}`,
    html`${want}`,
    layer(onDisk),
    layer(inForce),
    html`<span class="${isWell ? "well" : "wrong"}">${MARKS[verdict]} ${verdict}</span>`,
  ];
}

function layer(read: Layer): Html {
  switch (read.is) {
    case "read":
      return html`${read.value}<small>${read.source}</small>`;
    case "inferred":
      return html`(${read.value})<small>inferred from ${read.source}</small>`;
    case "absent":
      return html`absent<small>${read.source}</small>`;
    case "unreadable":
      return html`unreadable: ${read.because}<small>${read.source}</small>`;
    case "inapplicable":
      return html`–`;
  }
}

function diffHtml(diff: NonNullable<Evidence["diff"]>, noDiff: boolean): Html {
  const paint = new Chalk({ level: 0 });
  // What is too long to read is for a diff tool; what it scrolls by the keyboard has to be reached by it.
  return html`<pre tabindex="0">${diffView(diff, { paint, verbose: false, noDiff })}</pre>`;
}
