import type { HostName } from "../contract/inventory-view.ts";
import { ConfigurationError } from "../errors.ts";
import type { Inventory } from "../inventory/inventory.ts";
import { nearestName } from "../inventory/nearest-name.ts";
import { matchHosts } from "../inventory/pattern.ts";
import type { Job } from "../playbook/job.ts";
import { loadFiles, loadInventoryFiles } from "../playbook/load-files.ts";
import { steps } from "../steps/registry.ts";
import { withLastRun } from "./last-run.ts";
import { type FileOptions, inventoryFiles, playbookFile } from "./options.ts";
import { type Shard, shardOf } from "./shard.ts";

export interface Loaded {
  readonly inventory: Inventory;
  readonly job: Job;
  readonly inventoryFiles: readonly string[];
  readonly playbookFile: string;
}

/** Inventory and playbook as the flags name them. Throws ConfigurationError; touches no host. */
export async function load(options: FileOptions & { readonly noReferences?: boolean }): Promise<Loaded> {
  const inventories = inventoryFiles(options.inventory);
  const playbook = playbookFile(options.playbook);
  const noReferences = options.noReferences === true;
  const files = { inventoryFile: inventories, playbookFile: playbook, noReferences };
  return { inventoryFiles: inventories, playbookFile: playbook, ...(await loadFiles(files, steps)) };
}

/** The inventory alone, as the flags name it. Throws ConfigurationError; touches no host. */
export async function loadInventory({ inventory }: Pick<FileOptions, "inventory">) {
  return loadInventoryFiles(inventoryFiles(inventory), steps);
}

/** Whether a host is within `--limit` and `--shard`. Throws ConfigurationError when the pattern is wrong, or nothing is left. */
export function limitOf(
  pattern: string | undefined,
  inventory: Pick<Inventory, "groups"> & { readonly hosts: ReadonlyMap<HostName, unknown> },
  shard?: Shard,
): (host: HostName) => boolean {
  if (pattern === undefined && shard === undefined) return () => true;
  const limited = pattern === undefined ? undefined : new Set(matchHosts(withLastRun(pattern), inventory));
  const all = [...inventory.hosts.keys()].filter((host) => limited?.has(host) !== false);
  const hosts = new Set(shard === undefined ? all : shardOf(all, shard));
  return (host) => hosts.has(host);
}

/** Whether a step is within `--steps`. Throws ConfigurationError when a name is no step of the playbook. */
export function stepsOf(names: readonly string[] | undefined, job: Job): (step: string) => boolean {
  if (names === undefined) return () => true;
  const known = [...new Set(job.plays.flatMap((play) => play.steps.map(({ step }) => step.name)))];
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw new ConfigurationError(
      `--steps: the playbook has no step '${name}'; ${near === undefined ? `it has ${known.join(", ")}` : `did you mean '${near}'?`}`,
    );
  }
  return (step) => names.includes(step);
}
