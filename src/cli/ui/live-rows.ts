import type { ChalkInstance } from "chalk";

/** A host as the live screen shows it. */
export interface HostRow {
  readonly host: string;
  readonly is: "working" | "next" | "done" | "idle" | "failed";
  /** What it does, or why it does nothing. */
  readonly text: string;
  /** By performance.now(); undefined where it does nothing. */
  readonly sinceMs?: number | undefined;
  /** The last lines of what a program on the host says. */
  readonly said: readonly string[];
}

export interface LiveState {
  /** What is under way as a whole, the most important first. */
  readonly head: readonly string[];
  /** In the inventory's order. */
  readonly hosts: readonly HostRow[];
}

interface Window {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly paint: ChalkInstance;
}

/** What a program says is shown once the change has taken so long. */
const LONG_MS = 3_000;
/** Lines of one program at most. */
const MOST_SAID = 3;
/** The block leaves the rest of the window to what scrolls. */
const MOST_LINES = 16;
const MOST_NAME = 24;
/** Columns of " 12 m 05 s". */
const AGE = 10;

const SIGNS = { working: "▸", next: "·", done: "✓", idle: "·", failed: "✗" } as const;

/**
 * The live screen: what is under way, a row for each host, and below a row what a program there says when it takes
 * long. Where there are more hosts than room, those that have worked longest have rows and the others are counted.
 * Every line is narrower than the window, and all of them take half its height at most.
 */
export function liveLines({ head, hosts }: LiveState, window: Window): readonly string[] {
  const { paint, nowMs } = window;
  const room = Math.max(2, Math.min(MOST_LINES, Math.floor(window.rows / 2))) - 1;
  const columns = Math.max(20, window.columns) - 1;
  const { shown, left } = folded(hosts, room);
  const name = Math.min(MOST_NAME, Math.max(0, ...shown.map(({ host }) => host.length)));
  const lines = [line(columns, [head.join(" · "), paint.bold])];
  const spare = room - shown.length - (left.length > 0 ? 1 : 0);
  const saying = shown.filter((row) => isLong(row, nowMs) && row.said.length > 0);
  const each = saying.length === 0 ? 0 : Math.min(MOST_SAID, Math.floor(spare / saying.length));
  for (const row of shown) {
    const colour = {
      working: paint.cyan,
      next: paint,
      done: paint.green,
      idle: paint.dim,
      failed: paint.red,
    };
    lines.push(
      line(
        columns,
        [` ${SIGNS[row.is]} `, colour[row.is]],
        [cut(row.host, name).padEnd(name), row.is === "idle" ? paint.dim : paint],
        [row.sinceMs === undefined ? "".padEnd(AGE) : age(nowMs - row.sinceMs).padStart(AGE), paint.dim],
        [`  ${row.text}`, row.is === "working" || row.is === "failed" ? paint : paint.dim],
      ),
    );
    if (saying.includes(row) && each > 0)
      for (const said of row.said.slice(-each)) lines.push(line(columns, [`     │ ${said}`, paint.dim]));
  }
  if (left.length > 0) lines.push(line(columns, [`   ${left.length} more: ${counts(left)}`, paint.dim]));
  return lines;
}

/** Who has a row, and who is only counted. */
function folded(hosts: readonly HostRow[], room: number) {
  if (hosts.length <= room) return { shown: hosts, left: [] };
  const working = hosts
    .filter(({ sinceMs }) => sinceMs !== undefined)
    .sort((a, b) => a.sinceMs! - b.sinceMs!)
    // Half of the room is for what they say.
    .slice(0, Math.min(room - 1, Math.ceil(room * 0.6)));
  return { shown: working, left: hosts.filter((host) => !working.includes(host)) };
}

/** "300 done, 120 looking, 3 failed", the most frequent first. */
function counts(rows: readonly HostRow[]): string {
  const found = new Map<string, number>();
  for (const { is, text } of rows) {
    const what = is === "failed" ? "failed" : text;
    found.set(what, (found.get(what) ?? 0) + 1);
  }
  return [...found]
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${count} ${what}`)
    .join(", ");
}

function isLong({ sinceMs }: HostRow, nowMs: number): boolean {
  return sinceMs !== undefined && nowMs - sinceMs >= LONG_MS;
}

/** Whole seconds: what changes ten times a second cannot be read. */
function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  const rest = String(seconds % 60).padStart(2, "0");
  return `${Math.floor(seconds / 60)} m ${rest} s`;
}

/** Parts with their colours, cut where the window ends. */
function line(columns: number, ...parts: readonly (readonly [string, ChalkInstance])[]): string {
  let width = 0;
  let text = "";
  for (const [words, colour] of parts) {
    const shown = cut(words, columns - width);
    width += shown.length;
    text += colour(shown);
  }
  return text;
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
