import type { Measurement } from "./reroute.ts";

const COLUMNS = ["failed", "slow", "last bad"];

/** The measurements as Markdown: a line a fault, the spread of its runs in each cell. */
export function rerouteTable(measurements: readonly Measurement[]): string {
  const head = [
    "fault",
    ...COLUMNS.map((column) => `${column}, seed's check`),
    ...COLUMNS.map((column) => `${column}, fail_fast`),
  ];
  const rows = [...new Set(measurements.map(({ fault }) => fault))].map((fault) => [
    fault,
    ...cells(measurements.filter((each) => each.fault === fault && !each.fail_fast)),
    ...cells(measurements.filter((each) => each.fault === fault && each.fail_fast)),
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
