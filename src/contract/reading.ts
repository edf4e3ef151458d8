import type { FileDiff } from "./change.ts";
import type { Boot } from "./host.ts";
import type { StepName } from "./names.ts";

/** What one layer holds and where it was read. Four answers, never `undefined`. */
export type Layer =
  | { readonly is: "read" | "inferred"; readonly value: string; readonly source: string }
  | { readonly is: "absent"; readonly source: string }
  | { readonly is: "unreadable"; readonly source: string; readonly because: string }
  | { readonly is: "inapplicable" };

export type Verdict =
  | "proven"
  | "missing"
  | "different"
  | "shadowed"
  | "not-in-force"
  | "clamped"
  | "blocked"
  | "unknown"
  | "pending";

/** What a step knows of one setting. The verdict is derived from it in `evidence/verdict.ts`, never said by a step. */
export interface Reading {
  /** Names the row for programs, whatever its title: unique in its step, and never changed. Default: made of the title. */
  readonly row?: string | undefined;
  readonly setting: string;
  readonly want: string;
  readonly onDisk: Layer;
  readonly inForce: Layer;
  /** When a value is as wanted although it is not the same text (rounding, ranges, tabs). Default: equal text. */
  readonly accepts?: ((value: string, layer: "onDisk" | "inForce") => boolean) | undefined;
  /** Why a wrong layer is wrong, where the step can tell more than "it differs". */
  readonly cause?: "shadowed" | "clamped" | undefined;
  /** Set when the change must not be made: the reason, as one sentence that says what to do. */
  readonly blocked?: string | undefined;
  /** One sentence a person can act on. The engine words a plain difference itself. */
  readonly because?: string | undefined;
  /** Told before anything else that is open on the host: what waits behind it says less. */
  readonly urgent?: boolean | undefined;
  /** What a person should know although nothing needs to change: shown whatever the verdict. */
  readonly warning?: string | undefined;
  /** The file behind the row, when it is not as wanted. */
  readonly diff?: FileDiff | undefined;
  /** The change that closes it, or the step that will. */
  readonly closedBy?: { readonly change: string } | { readonly step: StepName } | undefined;
}

/** A reading with its verdict. */
export interface Evidence extends Reading {
  readonly verdict: Verdict;
  /** Whether the host has booted since anything was changed that decides how it boots, in words too. */
  readonly boot?: { readonly is: Boot["is"]; readonly words: string } | undefined;
}
