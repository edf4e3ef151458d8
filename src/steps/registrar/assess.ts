import type { HostFacts } from "../../contract/host.ts";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Assessed, Fleet } from "../../contract/step.ts";
import { switchedOff } from "../../daemon/switched-off.ts";
import { assessProgram } from "../../smartstack/assess-program.ts";
import { buildFor } from "../../smartstack/build.ts";
import { assessFiles } from "../../smartstack/program.ts";
import { sessionRow, unitRow } from "../../smartstack/program-rows.ts";
import type { RegistrarDesired } from "./desired.ts";
import type { RegistrarFacts } from "./facts.ts";
import { registrarFiles } from "./files.ts";
import { REGISTRAR_UNIT } from "./paths.ts";
import { NERVE } from "./program.ts";
import { serviceRow } from "./service-row.ts";

export function assess(
  self: { name: HostName; desired: RegistrarDesired; facts: RegistrarFacts; host: HostFacts },
  fleet: Fleet<RegistrarDesired, RegistrarFacts>,
): Assessed {
  const { desired, facts, host } = self;
  if (desired.services.length === 0)
    return switchedOff(
      "the registrar",
      [REGISTRAR_UNIT],
      facts.units,
      "the inventory gives this host no service to register",
    );
  const build = buildFor(NERVE, self, desired.gemSource, fleet);
  const files = assessFiles(registrarFiles(desired, build.key), facts, host);
  const { registry } = facts;
  const unreachable = registry && "unreachable" in registry ? registry.unreachable : undefined;
  return assessProgram(NERVE, { facts, host, build, files }, [
    unitRow(NERVE, facts),
    sessionRow(facts, desired.members, unreachable),
    ...desired.services.map((service) => serviceRow(service, desired, facts)),
  ]);
}
