import type { HostName } from "./host-name.ts";

/** For steps whose changes on one host cannot harm another: all at once. */
export function everyone(waiting: readonly HostName[]): readonly HostName[] {
  return waiting;
}

/** How many hosts one wave may take: a number of them, or a share of all that the step is for. */
export type WaveSize = number | `${number}%`;

/** One host first; what it shows decides about a quarter of them, and that about the rest. */
export const CAREFUL: readonly WaveSize[] = [1, "25%", "100%"];
/** For steps whose `next` says by itself who may go. */
export const AS_NEXT_SAYS: readonly WaveSize[] = ["100%"];
export const ONE_BY_ONE: readonly WaveSize[] = [1];

/** What is said about waves: of a play, of a group, or of a whole run. */
export interface WaveRules {
  /** Sizes of the waves; the last goes for all that follow. */
  readonly serial?: readonly WaveSize[] | undefined;
  /** How many hosts may fail before nothing more is begun. */
  readonly maxFail?: number | undefined;
  /** How long the mesh is watched after each wave. */
  readonly holdMs?: number | undefined;
}

/** "5" or "25%"; undefined of anything else. */
export function parseWaveSize(value: string | number): WaveSize | undefined {
  const [, number, percent] = /^([1-9][0-9]{0,3})(%?)$/.exec(`${value}`.trim()) ?? [];
  if (number === undefined) return undefined;
  if (percent === "") return Number(number);
  return Number(number) <= 100 ? `${Number(number)}%` : undefined;
}

/** Hosts of one wave, of `all` together: one at least. */
export function hostsIn(size: WaveSize, all: number): number {
  if (typeof size === "number") return size;
  return Math.max(1, Math.floor((all * Number.parseInt(size, 10)) / 100));
}
