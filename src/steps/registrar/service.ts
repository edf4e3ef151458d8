import type { HostName } from "../../contract/inventory-view.ts";
import type { Fleet, Health, ReplacedFile, Service } from "../../contract/step.ts";
import { startProgram } from "../../smartstack/assess-program.ts";
import { unitPath } from "../../smartstack/program.ts";
import type { RegistrarDesired } from "./desired.ts";
import type { RegistrarFacts } from "./facts.ts";
import { NERVE_CONFIG, REGISTRAR_UNIT } from "./paths.ts";
import { NERVE } from "./program.ts";

/** Nerve. Whether what it registers is healthy says nothing of its own files. */
export const service: Service<RegistrarDesired, RegistrarFacts> = {
  health({ units, process, registry, lastError }): Health | undefined {
    const unit = units.get(REGISTRAR_UNIT);
    if (unit === undefined || unit.load === "not-found") return undefined;
    if (process !== undefined && unit.active === "active") return { is: "healthy" };
    if (registry !== undefined && "unreachable" in registry)
      return { is: "undecided", because: `no member of the ensemble answers: ${registry.unreachable}` };
    const error = lastError === undefined ? "" : `; its last error: ${lastError}`;
    return { is: "broken", because: `${REGISTRAR_UNIT} is ${unit.active} (${unit.sub})${error}` };
  },
  keeps: ({ path, before }: ReplacedFile) =>
    before === undefined && [NERVE_CONFIG, unitPath(REGISTRAR_UNIT)].includes(path)
      ? "there was none before, and no registrar that it could go back to"
      : undefined,
  activate: () => [startProgram(NERVE)],
  next: oneAfterTheOther,
};

/**
 * Who may change: every host on which no Nerve runs yet, then one at a time. A Nerve that is started again takes its
 * host's services out for a moment, and a service must not lose the servers of two hosts at once.
 */
export function oneAfterTheOther(
  waiting: readonly HostName[],
  fleet: Fleet<RegistrarDesired, RegistrarFacts>,
): readonly HostName[] {
  const idle = waiting.filter((name) => {
    const member = fleet.get(name);
    return member?.is === "seen" && member.facts.process === undefined;
  });
  return idle.length > 0 ? idle : waiting.slice(0, 1);
}
