import type { Recording } from "../../../src/reader/recording.ts";

/**
 * How a simulated host behaves. `dead`: nobody listens. `silent`: takes the connection and says nothing. `hanging`: logs in,
 * answers once and never again. `dying`: hangs up in the midst of an answer. `lying`: answers what it was not asked.
 * `flooding`: answers each question with a megabyte.
 */
export const MODES = ["well", "dead", "silent", "hanging", "dying", "lying", "flooding"] as const;
export type Mode = (typeof MODES)[number];

export interface SimulatedHost {
  readonly name: string;
  /** Its address in the mesh, which its answers name. */
  readonly address: string;
  /** The address on this machine's loopback where it answers SSH. */
  readonly at: string;
  /** The recorded host whose answers it gives. */
  readonly as: string;
  readonly mode: Mode;
}

/** What the process of simulated hosts is started with, as JSON in a file. */
export interface FleetSpec {
  readonly port: number;
  readonly hostKey: string;
  /** Between a question and its answer. */
  readonly delayMs: number;
  readonly recorded: Readonly<
    Record<string, { readonly address: string; readonly answers: Readonly<Recording> }>
  >;
  readonly hosts: readonly SimulatedHost[];
}

const BAD = MODES.filter((mode) => mode !== "well");

/** Every tenth host, all ways to be bad in turn. */
export function modeOf(index: number, isTenthBad: boolean): Mode {
  if (!isTenthBad || index % 10 !== 9) return "well";
  return BAD[Math.floor(index / 10) % BAD.length]!;
}
