import type { HostFacts } from "../../contract/host.ts";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Assessed, Fleet } from "../../contract/step.ts";
import { switchedOff } from "../../daemon/switched-off.ts";
import { assessProgram } from "../../smartstack/assess-program.ts";
import { buildFor } from "../../smartstack/build.ts";
import { assessFiles } from "../../smartstack/program.ts";
import { sessionRow, unitRow } from "../../smartstack/program-rows.ts";
import { replacing } from "../../smartstack/replaced.ts";
import { accessOf } from "./acl.ts";
import type { RegistrarDesired } from "./desired.ts";
import type { RegistrarFacts } from "./facts.ts";
import { registrarFiles } from "./files.ts";
import { REGISTRAR_UNIT } from "./paths.ts";
import { NERVE } from "./program.ts";
import { serviceRow } from "./service-row.ts";

const DRAINED =
  "a run has stopped it for a while, as it changes what this host's backends need: systemd starts it again by itself, should the run not do so";

export const assess = replacing(NERVE.title, assessOwn);

function assessOwn(
  self: { name: HostName; desired: RegistrarDesired; facts: RegistrarFacts; host: HostFacts },
  fleet: Fleet<RegistrarDesired, RegistrarFacts>,
): Assessed {
  const { desired, facts, host } = self;
  const access = accessOf(self, fleet);
  if (desired.services.length === 0) {
    const off = switchedOff(
      "the registrar",
      [REGISTRAR_UNIT],
      facts.units,
      "the inventory gives this host no service to register",
    );
    // What runs is switched off also where the account has to stay.
    return access.holds
      ? { readings: [...off.readings, ...access.readings.map(unclosed)], changes: off.changes }
      : {
          readings: [...off.readings, ...access.readings],
          changes: [...access.before, ...off.changes, ...access.after],
        };
  }
  const build = buildFor(NERVE, self, desired.gemSource, fleet);
  const files = assessFiles(registrarFiles(desired, build.key), facts, host);
  const { registry } = facts;
  const unreachable = registry && "unreachable" in registry ? registry.unreachable : undefined;
  const nerve = assessProgram(NERVE, { facts, host, build, files }, [
    { ...unitRow(NERVE, facts), ...(facts.isDrained === true ? { because: DRAINED } : {}) },
    sessionRow(facts, desired.members, unreachable),
    ...desired.services.map((service) => serviceRow(service, desired, facts)),
  ]);
  const readings = [...nerve.readings, ...access.readings];
  // Where nothing of Nerve may change nothing around it may.
  const isBlocked = nerve.readings.some(({ blocked }) => blocked !== undefined);
  if (access.holds || isBlocked) return { readings: readings.map(unclosed), changes: [] };
  return { readings, changes: [...access.before, ...nerve.changes, ...access.after] };
}

function unclosed({ closedBy: _, ...row }: Reading): Reading {
  return row;
}
