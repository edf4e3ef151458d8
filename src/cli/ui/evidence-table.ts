import type { ChalkInstance } from "chalk";
import Table from "cli-table3";
import type { Evidence, Layer, Verdict } from "../../contract/reading.ts";
import { maskSecrets } from "../../secret.ts";
import { shownData } from "../shown.ts";
import { COLUMNS } from "./borderless.ts";
import { type DiffOptions, diffView } from "./diff-view.ts";

export interface EvidenceRow {
  readonly host: string;
  readonly step: string;
  readonly evidence: Evidence;
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
 * Want, on disk and in force side by side, a block for each host, with the diff of every file that is there and not as
 * wanted. Verbose adds where each layer was read.
 */
export function evidenceTable(
  found: readonly EvidenceRow[],
  options: DiffOptions & { readonly columns: number },
): string {
  const { paint, verbose } = options;
  const rows = shownData(found);
  const hosts = [...new Set(rows.map(({ host }) => host))];
  // Mark, step and verdict have fixed widths; the rest is shared among setting, want, on disk and in force.
  const flexible = Math.max(40, options.columns - (2 + 11 + 13 + 10));
  // Where little room is left, half of every value would be cut away.
  const wraps = verbose || options.columns < 100;
  const widths = [3, 12, 0.28, 0.24, 0.24, 0.24].map((width) =>
    width < 1 ? Math.floor(flexible * width) : width,
  );
  const blocks = hosts.map((host) => {
    const table = new Table({
      head: ["", "step", "setting", "want", "on disk", "in force", "verdict"].map((title) =>
        paint.dim(title),
      ),
      ...COLUMNS,
      colWidths: [...widths, 14],
    });
    const notes: string[] = [];
    const shown = new Set<string>();
    let previous = "";
    for (const { step, evidence } of rows.filter((row) => row.host === host)) {
      const colour = paintOf(evidence.verdict, paint);
      table.push([
        colour(MARKS[evidence.verdict]),
        step === previous ? "" : step,
        ...[evidence.setting, evidence.want, layerText(evidence.onDisk), layerText(evidence.inForce)].map(
          (text, index) => fitted(text, widths[2 + index]! - 1, wraps),
        ),
        colour(evidence.verdict),
      ]);
      previous = step;
      const sources = [source(evidence.onDisk), source(evidence.inForce)].filter(Boolean).join(" · ");
      if (verbose && sources !== "")
        table.push([
          "",
          "",
          { colSpan: 5, content: paint.dim(fitted(`read from ${sources}`, flexible, true)) },
        ]);
      if (needsWords(evidence)) {
        notes.push(
          `  ${colour(MARKS[evidence.verdict])} ${step} · ${evidence.setting}: ${evidence.because ?? ""}`,
        );
        if (!verbose && sources !== "") notes.push(paint.dim(`      read from ${sources}`));
      }
      // A file that is not there yet has nothing to lose.
      const { diff } = evidence;
      if (diff?.was !== undefined && diff.was !== diff.want && !shown.has(diff.path)) {
        shown.add(diff.path);
        notes.push(diffView(diff, options).replace(/^/gm, "      "));
      }
      if (evidence.warning !== undefined)
        notes.push(`  ${paint.yellow("!")} ${step} · ${evidence.setting}: ${evidence.warning}`);
    }
    return `${paint.bold(host)}\n${trimLines(table.toString())}${notes.length > 0 ? `\n${notes.join("\n")}` : ""}`;
  });
  return maskSecrets(blocks.join("\n\n"));
}

/**
 * A cell's text, wrapped or cut to its width. Cut here because the table library cuts paths at their end, which tells
 * files of one folder apart, and breaks colours when it wraps.
 */
function fitted(value: string, width: number, wraps: boolean): string {
  // Before it is torn apart: half a secret would not be recognised.
  const text = maskSecrets(value);
  if (wraps) return text.match(new RegExp(`.{1,${width}}`, "gu"))?.join("\n") ?? "";
  return text.startsWith("/") && text.length > width ? `…${text.slice(1 - width)}` : text;
}

/** What a later step closes, or a plain difference that a change will close, speaks for itself in the table. */
function needsWords({ verdict, closedBy }: Evidence): boolean {
  if (verdict === "proven" || verdict === "pending") return false;
  const isPlain = verdict === "missing" || verdict === "different";
  return !(isPlain && closedBy !== undefined && "change" in closedBy);
}

function trimLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n");
}

export function paintOf(verdict: Verdict, paint: ChalkInstance): ChalkInstance {
  if (verdict === "proven") return paint.green;
  return verdict === "pending" ? paint.yellow : paint.red;
}
