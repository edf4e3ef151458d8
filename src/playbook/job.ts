import type { Hooks } from "../contract/hook.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import type { WaveRules } from "../waves.ts";

/** The playbook joined with the inventory: what is to be done where, in order. */
export interface Job {
  readonly plays: readonly JobPlay[];
}

interface JobPlay {
  /** In the inventory's order, never empty. */
  readonly hosts: readonly HostName[];
  readonly rules?: WaveRules;
  /** In the playbook's order. */
  readonly steps: readonly JobStep[];
}

interface JobStep {
  readonly step: AnyStep;
  /** Commands of the user's own around its changes. */
  readonly hooks?: Hooks;
  /** What `step.parameters` made of the merged values, for each host of the play. */
  readonly parameters: ReadonlyMap<HostName, unknown>;
}
