import type { ZookeeperFacts } from "./facts.ts";

/** Why a unit that is to run does not, as far as systemd and its last words tell. */
export function whyStopped({ unit, lastWords }: ZookeeperFacts): string {
  const state = `does not run (${unit.active}, ${unit.sub}, ${unit.restarts} restarts)`;
  const words = lastWords === "" ? "" : `; its last words: ${lastWords}`;
  const changed = whatChangesIt(unit);
  return `${state}${changed === undefined ? "" : `, and ${changed}`}${words}`;
}

/** Drop-ins are nobody's that meshctl knows. */
export function whatChangesIt({ dropInPaths }: ZookeeperFacts["unit"]): string | undefined {
  return dropInPaths.length > 0 ? `${dropInPaths.join(", ")} changes the unit` : undefined;
}
