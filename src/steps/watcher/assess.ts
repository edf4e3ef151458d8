import type { Change } from "../../contract/change.ts";
import type { HostFacts } from "../../contract/host.ts";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Assessed, Fleet } from "../../contract/step.ts";
import { switchedOffWatcher } from "../../haproxy/former-watcher.ts";
import { assessProgram } from "../../smartstack/assess-program.ts";
import { companionRow, sessionRow, unitRow } from "../../smartstack/program-rows.ts";
import { replacing } from "../../smartstack/replaced.ts";
import { isUnneeded, type WatcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { installationRow, isForeign, serviceRow, settingsRow } from "./haproxy-rows.ts";
import { HAPROXY_CONFIG, INSTALLER_PATH_UNIT } from "./paths.ts";
import { SYNAPSE } from "./program.ts";
import { situationOf } from "./situation.ts";

const NOTHING_TO_FOLLOW =
  "no service of the mesh has a path or names in DNS, and the haproxy step writes haproxy.cfg";

export const assess = replacing(SYNAPSE.title, assessOwn);

function assessOwn(
  self: { name: HostName; desired: WatcherDesired; facts: WatcherFacts; host: HostFacts },
  fleet: Fleet<WatcherDesired, WatcherFacts>,
): Assessed {
  if (isUnneeded(self.desired)) return switchedOffWatcher(self.facts.units, NOTHING_TO_FOLLOW);
  const situation = situationOf(self, fleet);
  const { desired, facts } = situation;
  const { registry } = facts;
  const unreachable = registry && "unreachable" in registry ? registry.unreachable : undefined;
  const effects = [
    unitRow(SYNAPSE, facts),
    companionRow(INSTALLER_PATH_UNIT, facts),
    ...(registry === undefined ? [] : [sessionRow(facts, desired.members, unreachable)]),
    installationRow(situation),
    settingsRow(situation),
    ...desired.services.map((service) => serviceRow(situation, service)),
  ];
  const adopts = isForeign(situation) && desired.adopt;
  return assessProgram(SYNAPSE, situation, effects, adopts ? [ADOPT] : []);
}

const ADOPT: Change = {
  id: "adopt haproxy.cfg",
  why: "the inventory lets meshctl replace it",
  commands: [{ kind: "adopt", path: HAPROXY_CONFIG }],
  activate: [],
};
