import { lastRefusal } from "../../haproxy/alerts.ts";
import { maxconnWithin } from "../../haproxy/open-files.ts";
import { livingProcesses } from "./facts.ts";
import { holderOf } from "./listeners.ts";
import { CONFIG, UNIT } from "./paths.ts";
import type { Situation } from "./situation.ts";

/** Why the last reload failed, in HAProxy's own words, and what to do. */
export function whyReloadFailed(situation: Situation): string {
  const said = lastRefusal(situation.facts.journal, livingProcesses(situation.facts));
  const reason = said === undefined ? "" : `: ${said}`;
  return `reload failed, the old worker still serves${reason}. ${nextMove(situation)}`;
}

/** Why the service does not run, and what to do. */
export function whyStopped(situation: Situation): string {
  const { unit, journal, configCheck } = situation.facts;
  const said = lastRefusal(journal, []);
  const state = `${UNIT} is ${unit.active}`;
  if (configCheck?.is === "unreadable" && situation.desired.watched)
    return `${state}, and whether it takes ${CONFIG} was not read: ${configCheck.because}`;
  return said === undefined ? state : `${state}: ${said}. ${nextMove(situation)}`;
}

/** Told from what the host shows, never from the words of a message. */
function nextMove(situation: Situation): string {
  const { host, facts, desired } = situation;
  const process = [facts.worker, facts.master].find((each) => each.is === "value");
  const limit = process?.value.hardOpenFiles ?? host.hardOpenFiles;
  if (limit < situation.openFilesNeeded) {
    return `Raise LimitNOFILE or lower haproxy.maxconn to ${maxconnWithin(limit, host.cpus)}.`;
  }
  for (const { bind, port } of desired.settings.services) {
    const holder = holderOf(host.listeners, bind, port);
    if (holder === undefined || holder.process === "haproxy") continue;
    const who = holder.process === "" ? "what" : `${holder.process}, which`;
    return `Stop ${who} listens on ${holder.address}:${port}, or give the service another port.`;
  }
  return `See journalctl -u ${UNIT}.`;
}
