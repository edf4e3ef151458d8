import type { AnyStep } from "../contract/step.ts";

/** A step's own facts, or why its look gave none. */
export type StepFacts =
  | { readonly is: "read"; readonly facts: unknown }
  | { readonly is: "broken"; readonly because: string };

export interface LookRequest {
  readonly step: AnyStep;
  readonly desired: unknown;
}
