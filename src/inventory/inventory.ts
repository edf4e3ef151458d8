import type { HostName, HostView, InventoryView } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { ParameterLayer } from "./parameter-layer.ts";
import type { SshSettings } from "./ssh-settings.ts";

/** A host with how to reach it. */
export interface LoadedHost extends HostView {
  readonly ssh: SshSettings;
  /** Parameters of every step as the files write them, merged, without the step's defaults. */
  readonly written: ReadonlyMap<StepName, unknown>;
}

/** The whole inventory: what steps may know, and what only the engine's connections need. */
export interface Inventory extends InventoryView {
  /** In file order. */
  readonly hosts: ReadonlyMap<HostName, LoadedHost>;
}

/** The inventory's file as far as it makes sense, before a playbook completes it with the hosts' parameters. */
export interface ReadInventory {
  readonly inventory: Omit<Inventory, "hosts"> & {
    readonly hosts: ReadonlyMap<HostName, HostBeforePlaybook>;
  };
  readonly parameters: InventoryParameters;
  /** Whether nothing is wrong with it. */
  readonly isSound: boolean;
}

export type HostBeforePlaybook = Omit<LoadedHost, "parameters" | "written">;

/** Parameters of steps that stand in the inventory, by group or host, then by step. */
export interface InventoryParameters {
  readonly groups: ReadonlyMap<string, ReadonlyMap<StepName, ParameterLayer>>;
  readonly hosts: ReadonlyMap<HostName, ReadonlyMap<StepName, ParameterLayer>>;
}
