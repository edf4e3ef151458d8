import { judge } from "../../evidence/verdict.ts";
import type { Assessed, HostFacts, Reading } from "../../step.ts";
import { changesOf } from "./changes.ts";
import { contentRows } from "./content-rows.ts";
import type { HaproxyDesired } from "./desired.ts";
import type { HaproxyFacts } from "./facts.ts";
import { UNIT } from "./paths.ts";
import { type Situation, situationOf } from "./situation.ts";
import { unitRows } from "./unit-rows.ts";

/** Rows of the package, the unit, the file and every service, and the changes that close them. */
export function assess(desired: HaproxyDesired, facts: HaproxyFacts, host: HostFacts): Assessed {
  const situation = situationOf(desired, facts, host);
  const readings = [...unitRows(situation), ...contentRows(situation)].map((reading) =>
    explainBriefly(situation, reading),
  );
  const blocked = readings.some((reading) => judge(reading).verdict === "blocked");
  return { readings, changes: blocked ? [] : changesOf(situation) };
}

/** One row says in full why nothing, or something else, is in force; the others point at it. */
function explainBriefly(situation: Situation, reading: Reading): Reading {
  if (reading.because !== undefined || judge(reading).verdict !== "not-in-force") return reading;
  const because = reasonForAll(situation);
  return because === undefined ? reading : { ...reading, because };
}

function reasonForAll({ active, installed, digest, reloadFailed }: Situation): string | undefined {
  if (installed === undefined) return undefined;
  if (!active) return `${UNIT} does not run`;
  if (digest.inForce === digest.want) return undefined;
  return reloadFailed
    ? "the worker from before the failed reload serves"
    : "the worker runs with another configuration";
}
