import type { HostFacts } from "../../contract/host.ts";
import type { Reading } from "../../contract/reading.ts";
import type { Assessed } from "../../contract/step.ts";
import { judge } from "../../evidence/verdict.ts";
import { switchedOffWatcher } from "../../haproxy/former-watcher.ts";
import { changesOf } from "./changes.ts";
import { contentRows } from "./content-rows.ts";
import type { HaproxyDesired } from "./desired.ts";
import type { HaproxyFacts } from "./facts.ts";
import { UNIT } from "./paths.ts";
import { loadedDifferences, type Situation, situationOf } from "./situation.ts";
import { unitRows } from "./unit-rows.ts";

/**
 * Rows of the package, the unit, the file and every service, and the changes that close them. `watcherFollows`:
 * whether the playbook has the watcher step for this host.
 */
export function assess(
  desired: HaproxyDesired,
  facts: HaproxyFacts,
  host: HostFacts,
  watcherFollows: boolean,
): Assessed {
  const situation = situationOf(desired, facts, host);
  const former = formerWatcher(situation);
  const readings = [...former.readings, ...unitRows(situation), ...contentRows(situation)]
    .map((reading) => explainBriefly(situation, reading))
    .map((reading) => (watcherFollows ? reading : missWatcher(reading)));
  const blocked = readings.some((reading) => judge(reading).verdict === "blocked");
  return { readings, changes: blocked ? [] : [...former.changes, ...changesOf(situation)] };
}

/** A watcher from before would go on writing the file that is this step's now: it goes first. */
function formerWatcher({ desired, facts }: Situation): Assessed {
  const isThere = [...facts.watcherUnits.values()].some(({ load }) => load !== "not-found");
  if (desired.watched || !isThere) return { readings: [], changes: [] };
  return switchedOffWatcher(
    facts.watcherUnits,
    "the inventory wants no watcher on this host any more, and this step writes haproxy.cfg",
  );
}

/** Nobody closes in this run what waits for a step that is not in the playbook. */
function missWatcher(reading: Reading): Reading {
  if (reading.because !== undefined || judge(reading).verdict !== "pending") return reading;
  return {
    ...reading,
    because: "the watcher writes it, and this playbook has no watcher step for this host",
  };
}

/** One row says in full why nothing, or something else, is in force; the others point at it. */
function explainBriefly(situation: Situation, reading: Reading): Reading {
  if (reading.because !== undefined || judge(reading).verdict !== "not-in-force") return reading;
  const because = reasonForAll(situation);
  return because === undefined ? reading : { ...reading, because };
}

function reasonForAll(situation: Situation): string | undefined {
  const { active, facts, installed, digest, reloadFailed, loaded } = situation;
  if (installed === undefined) return undefined;
  if (!active) return `${UNIT} does not run`;
  if (reloadFailed) return "the worker from before the failed reload serves";
  if (facts.info.size === 0) return undefined;
  if (digest.inForce !== digest.want) return "the worker runs with another configuration";
  if (loaded.is === "absent") return "it is not on record what the worker was loaded with";
  return loadedDifferences(situation).length > 0
    ? "the worker was loaded with another haproxy.cfg"
    : undefined;
}
