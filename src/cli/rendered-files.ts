import type { Machine } from "../contract/host.ts";
import type { StepName } from "../contract/names.ts";
import { ConfigurationError } from "../errors.ts";
import { didYouMean } from "../inventory/nearest-name.ts";
import { maskSecrets, showContent } from "../secret.ts";
import type { Loaded } from "./load.ts";

export interface RenderedText {
  readonly path: string;
  readonly step: StepName;
  readonly mode: string;
  readonly owner: string;
  /** What makes it another file on a living host. */
  readonly notes: readonly string[];
  /** Secrets are masked. */
  readonly text: string;
}

/**
 * Every file that the host's steps would write on a bare host, in the order in which they would. From the files
 * alone; throws ConfigurationError when the inventory has no such host.
 */
export function renderedFiles(
  name: string,
  { inventory, job }: Pick<Loaded, "inventory" | "job">,
  machine: Machine,
): readonly RenderedText[] {
  const host = inventory.hosts.get(name);
  if (host === undefined) {
    const hint = didYouMean(name, inventory.hosts.keys()) || "; `meshctl hosts` lists them";
    throw new ConfigurationError(`${inventory.file}: no host is named '${name}'${hint}`);
  }
  const steps = job.plays.filter(({ hosts }) => hosts.includes(name)).flatMap((play) => play.steps);
  return steps.flatMap(({ step, parameters }) => {
    const desired = step.desired(parameters.get(name), host, inventory);
    const files = step.files?.({ name, desired, machine }) ?? [];
    return files.map(({ path, mode, owner, notes = [], content }) => {
      return { path, step: step.name, mode, owner, notes, text: maskSecrets(showContent(content)) };
    });
  });
}
