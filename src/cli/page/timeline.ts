import type { RunEvent } from "../../engine/events.ts";
import { type Html, html } from "./html.ts";
import { type Section, table } from "./page.ts";

/** What happened at which moment of a run. */
export interface Moment {
  /** Milliseconds since the run was begun. */
  readonly atMs: number;
  /** How long it took until then. */
  readonly lastedMs?: number;
  readonly host: string | undefined;
  readonly what: string;
  readonly isWell: boolean;
}

/** The moment that an event is of a time line; undefined of what has none. */
export function momentOf(event: RunEvent, atMs: number): Moment | undefined {
  switch (event.event) {
    case "observed":
      return { atMs, lastedMs: event.durationMs, host: event.host, what: "looked at", isWell: true };
    case "unreachable":
      return { atMs, host: event.host, what: `unreachable: ${event.error.message}`, isWell: false };
    case "waiting":
      return { atMs, host: event.host, what: `waits: ${event.because}`, isWell: true };
    case "failed":
      return { atMs, host: event.host, what: `${event.step} failed: ${event.because}`, isWell: false };
    case "note":
      return { atMs, host: event.host, what: event.text, isWell: true };
    case "summary":
      return { atMs, host: undefined, what: `ended with exit code ${event.exitCode}`, isWell: true };
    default:
      return undefined;
  }
}

const MOST_MOMENTS = 200;

export function timelineSection(moments: readonly Moment[]): Section {
  const wholeMs = Math.max(1, ...moments.map(({ atMs }) => atMs));
  // Of very many the longest tell the most, and whatever went wrong.
  const kept = new Set(
    moments.length <= MOST_MOMENTS
      ? moments
      : [...moments].sort((one, other) => weightOf(other) - weightOf(one)).slice(0, MOST_MOMENTS),
  );
  const rows = moments
    .filter((moment) => kept.has(moment))
    .map((moment) => [
      seconds(moment.atMs),
      moment.host ?? "",
      html`${moment.isWell ? undefined : html`<span class="wrong">✗</span> `}${moment.what}${moment.lastedMs === undefined ? undefined : ` in ${seconds(moment.lastedMs)}`}`,
      bar(moment, wholeMs),
    ]);
  const left = moments.length - kept.size;
  const more = left === 0 ? undefined : html`<p class="dim">${left} short ones are left out.</p>`;
  return {
    id: "time",
    title: "Time line",
    body: html`${table(["at", "host", "what", ""], rows, "time")}${more}`,
  };
}

function weightOf({ isWell, lastedMs = 0 }: Moment): number {
  return isWell ? lastedMs : Number.POSITIVE_INFINITY;
}

/** From when to when, of the whole run. */
function bar({ atMs, lastedMs = 0 }: Moment, wholeMs: number): Html {
  const share = (ms: number) => ((Math.max(0, ms) / wholeMs) * 1000).toFixed(0);
  const width = Math.max(4, Number(share(lastedMs)));
  const begin = Math.min(1000 - width, Number(share(atMs - lastedMs)));
  return html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect class="whole" x="0" y="4" width="1000" height="2"/><rect x="${Math.max(0, begin)}" y="1" width="${width}" height="8"/></svg>`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
