import type { ChalkInstance } from "chalk";
import type { Evidence, Layer, Verdict } from "../../contract/reading.ts";
import { maskSecrets } from "../../secret.ts";
import { shownData } from "../shown.ts";
import { acrossAll, columnsOf, intoLines } from "./columns.ts";
import { type DiffOptions, diffView } from "./diff-view.ts";
import { FEWEST_ALIKE, folded, someNames, withoutOwn } from "./fold.ts";

export interface EvidenceRow {
  readonly host: string;
  readonly step: string;
  readonly evidence: Evidence;
}

export interface KeyedRow extends EvidenceRow {
  /** The same of rows that are alike, whatever is their hosts' own. Nobody sees it. */
  readonly key: string;
}

/**
 * Rows are alike when step, setting, want, verdict and warning are, but for a host's own name and addresses, and when they
 * are not proven also all that was found; `verbose`: always. Made of each row as it comes: those of hundreds of hosts at
 * once would hold up all else.
 */
export function keyedRow(
  { host, step, evidence }: EvidenceRow,
  {
    verbose,
    addressesOf = () => [],
  }: { readonly verbose: boolean; readonly addressesOf?: (host: string) => readonly string[] },
): KeyedRow {
  const { setting, want, verdict, warning } = evidence;
  // What is as wanted may be so in many ways: a clock is ahead by 1 ms or by 2.
  const found = verbose || verdict !== "proven" ? evidence : [setting, want, verdict, warning];
  const text = JSON.stringify([step, found]);
  const own = addressesOf(host);
  const isOwn = [host, ...own].some((each) => text.includes(each));
  const key = isOwn ? withoutOwn(text, host, (address) => own.includes(address)) : text;
  return { host, step, evidence, key };
}

export const MARKS: Record<Verdict, string> = {
  proven: "✓",
  pending: "…",
  missing: "✗",
  different: "✗",
  shadowed: "✗",
  "not-in-force": "✗",
  clamped: "✗",
  blocked: "■",
  unknown: "?",
};

/** A layer as one cell: its value, or what stands in the place of one. */
function layerText(layer: Layer): string {
  switch (layer.is) {
    case "read":
      return layer.value;
    case "inferred":
      return `(${layer.value})`;
    case "absent":
      return "absent";
    case "unreadable":
      return "unreadable";
    case "inapplicable":
      return "–";
  }
}

function source(layer: Layer): string {
  return layer.is === "inapplicable" ? "" : layer.source;
}

/**
 * Want, on disk and in force side by side, a block for each host or those that are alike, with the diff of every file that is there and not as
 * wanted. Verbose adds where each layer was read.
 */
export function evidenceTable(
  rows: readonly KeyedRow[],
  options: DiffOptions & {
    readonly columns: number;
    /** How what is said below the rows is broken for who reads it; as it is unless given. */
    readonly broken?: (text: string) => string;
  },
): string {
  const { paint, verbose, broken = (text: string) => text } = options;
  // Mark, step and verdict have fixed widths; the rest is shared among setting, want, on disk and in force.
  const flexible = Math.max(40, options.columns - (2 + 11 + 13 + 10));
  // Where little room is left, half of every value would be cut away.
  const wraps = verbose || options.columns < 100;
  const widths = [
    ...[2, 11],
    ...[0.28, 0.24, 0.24, 0.24].map((share) => Math.floor(flexible * share) - 1),
    13,
  ];
  const block = (host: string, shownRows: readonly EvidenceRow[], more: readonly string[]) => {
    const head = ["", "step", "setting", "want", "on disk", "in force", "verdict"];
    const lines = [
      columnsOf(
        head.map((title) => paint.dim(title)),
        widths,
      ),
    ];
    const notes: string[] = [];
    const shown = new Set<string>();
    let previous = "";
    for (const { step, evidence } of shownRows) {
      const colour = paintOf(evidence.verdict, paint);
      const { setting, want, onDisk, inForce, verdict } = evidence;
      const texts = [setting, want, layerText(onDisk), layerText(inForce)];
      const cells = [
        colour(MARKS[verdict]),
        step === previous ? "" : step,
        ...texts.map((text, index) => fitted(text, widths[2 + index]!, wraps)),
        colour(verdict),
      ];
      lines.push(columnsOf(cells, widths));
      previous = step;
      const sources = [source(onDisk), source(inForce)].filter(Boolean).join(" · ");
      if (verbose && sources !== "")
        lines.push(
          columnsOf(
            ["", "", paint.dim(fitted(`read from ${sources}`, flexible, true))],
            [widths[0]!, widths[1]!, acrossAll(widths.slice(2))],
          ),
        );
      if (needsWords(evidence)) {
        notes.push(
          broken(
            `  ${colour(MARKS[evidence.verdict])} ${step} · ${evidence.setting}: ${evidence.because ?? ""}`,
          ),
        );
        if (!verbose && sources !== "") notes.push(paint.dim(broken(`      read from ${sources}`)));
      }
      // A file that is not there yet has nothing to lose.
      const { diff } = evidence;
      if (diff?.was !== undefined && diff.was !== diff.want && !shown.has(diff.path)) {
        shown.add(diff.path);
        notes.push(diffView(diff, options).replace(/^/gm, "      "));
      }
      if (evidence.warning !== undefined)
        notes.push(broken(`  ${paint.yellow("!")} ${step} · ${evidence.setting}: ${evidence.warning}`));
    }
    const parts = [paint.bold(host), shownRows.length > 0 ? lines.join("\n") : "", ...notes];
    return [...parts, ...more.map((line) => `  ${paint.dim(line)}`)].filter((part) => part !== "").join("\n");
  };
  const blocks = shownData(foldedRows(rows)).map(({ host, rows, more }) => block(host, rows, more));
  return maskSecrets(blocks.join("\n\n"));
}

/** A host as it is shown, with what is said instead of the rest. */
export interface FoldedHost {
  readonly host: string;
  readonly rows: readonly EvidenceRow[];
  /** "as on a: 7 more rows" of itself, or "as on a: 497 hosts" of others. */
  readonly more: readonly string[];
}

/** Hosts that are alike are shown once, and of one that is not what differs from those. */
export function foldedRows(rows: readonly KeyedRow[]): readonly FoldedHost[] {
  const ofHost = new Map<string, KeyedRow[]>();
  for (const row of rows) {
    const known = ofHost.get(row.host);
    if (known === undefined) ofHost.set(row.host, [row]);
    else known.push(row);
  }
  if (ofHost.size < FEWEST_ALIKE) return [...ofHost].map(([host, own]) => ({ host, rows: own, more: [] }));
  const hosts = [...ofHost].map(([host, own]) => {
    const keys = own.map(({ key }) => key);
    return { host, own, keys, all: keys.join("\n") };
  });
  const groups = folded(hosts, ({ all }) => all);
  const large = groups.filter(({ all }) => all.length >= FEWEST_ALIKE);
  return groups.flatMap(({ first, all }) => {
    if (all.length >= FEWEST_ALIKE) {
      const names = someNames(all.slice(1).map(({ host }) => host));
      return [
        {
          host: first.host,
          rows: first.own,
          more: [`as on ${first.host}: ${all.length - 1} hosts: ${names}`],
        },
      ];
    }
    return all.map(({ host, own, keys }) => {
      const [like] = large
        .map(({ first: { host: name, keys: theirs } }) => ({ name, shared: keys.filter(isIn(theirs)) }))
        .sort((a, b) => b.shared.length - a.shared.length);
      if (like === undefined || like.shared.length === 0) return { host, rows: own, more: [] };
      const shared = new Set(like.shared);
      const count = like.shared.length;
      const more = [`as on ${like.name}: ${count} ${count === 1 ? "row" : "more rows"}`];
      return { host, rows: own.filter((_, at) => !shared.has(keys[at]!)), more };
    });
  });
}

function isIn(keys: readonly string[]): (key: string) => boolean {
  const known = new Set(keys);
  return (key) => known.has(key);
}

/** A cell's text, wrapped or cut to its width: a path at its beginning, because its end tells files of one folder apart. */
function fitted(value: string, width: number, wraps: boolean): string {
  // Before it is torn apart: half a secret would not be recognised.
  const text = maskSecrets(value);
  if (wraps) return intoLines(text, width);
  return text.startsWith("/") && text.length > width ? `…${text.slice(1 - width)}` : text;
}

/** What a later step closes, or a plain difference that a change will close, speaks for itself in the table. */
function needsWords({ verdict, closedBy }: Evidence): boolean {
  if (verdict === "proven" || verdict === "pending") return false;
  const isPlain = verdict === "missing" || verdict === "different";
  return !(isPlain && closedBy !== undefined && "change" in closedBy);
}

export function paintOf(verdict: Verdict, paint: ChalkInstance): ChalkInstance {
  if (verdict === "proven") return paint.green;
  return verdict === "pending" ? paint.yellow : paint.red;
}
