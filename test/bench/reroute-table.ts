import type { Checked, Measurement } from "./reroute.ts";

const COLUMNS = ["failed", "slow", "last bad"];

const ALL_FAULTS: readonly Checked[] = ["seed's check", "fail_fast"];

/** The measurements as Markdown: a line a fault, the spread of its runs in each cell. Stalls have a table of their own. */
export function rerouteTable(measurements: readonly Measurement[]): string {
  const stalls = measurements.filter(({ checked }) => checked === "no check").map(({ fault }) => fault);
  const others = measurements.filter(({ fault }) => !stalls.includes(fault));
  return [
    tableOf(others, ALL_FAULTS),
    tableOf(
      measurements.filter(({ fault }) => stalls.includes(fault)),
      [...ALL_FAULTS, "no check"],
    ),
  ]
    .filter(Boolean)
    .join("\n\n");
}

function tableOf(measurements: readonly Measurement[], kinds: readonly Checked[]): string {
  if (measurements.length === 0) return "";
  const head = ["fault", ...kinds.flatMap((kind) => COLUMNS.map((column) => `${column}, ${kind}`))];
  const rows = [...new Set(measurements.map(({ fault }) => fault))].map((fault) => [
    fault,
    ...kinds.flatMap((kind) =>
      cells(measurements.filter((each) => each.fault === fault && each.checked === kind)),
    ),
  ]);
  return [head, head.map((_, at) => (at === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

function cells(runs: readonly Measurement[]): readonly string[] {
  if (runs.length === 0) return COLUMNS.map(() => "–");
  const lastBad = runs.flatMap(({ lastBadMs }) => (lastBadMs === undefined ? [] : [lastBadMs / 1000]));
  return [
    spread(runs.map(({ failed }) => failed)),
    spread(runs.map(({ slow }) => slow)),
    lastBad.length === 0 ? "–" : `${spread(lastBad, 1)} s`,
  ];
}

function spread(values: readonly number[], digits = 0): string {
  const [least, most] = [Math.min(...values).toFixed(digits), Math.max(...values).toFixed(digits)];
  return least === most ? least : `${least}–${most}`;
}
