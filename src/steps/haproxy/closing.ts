import type { Reading } from "../../contract/reading.ts";
import { judge } from "../../evidence/verdict.ts";
import type { Situation } from "./situation.ts";

export const PACKAGES = "packages";
/** Files, limits, start, reload: one change, because none of them is worth a second restart. */
export const CONFIGURATION = "configuration";

/** Says what closes a row about haproxy.cfg's content: this step, the watcher, or nobody before a file is adopted. */
export function closeContent(situation: Situation, reading: Reading): Reading {
  if (judge(reading).verdict === "proven") return reading;
  const { desired, configAgrees, awaitsWatcher, foreign } = situation;
  if (desired.watched && configAgrees && !awaitsWatcher)
    return { ...reading, closedBy: { change: CONFIGURATION } };
  if (foreign !== undefined) {
    return { ...reading, blocked: "haproxy.cfg is not meshctl's and is left as it is: see its row" };
  }
  if (desired.watched) return { ...reading, closedBy: { step: "watcher" } };
  return { ...reading, closedBy: { change: CONFIGURATION } };
}
