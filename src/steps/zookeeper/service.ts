import type { Health, ReplacedFile, Service, Vital, Vitals } from "../../contract/step.ts";
import { isUnsteady, showUnsteady } from "../../daemon/unit.ts";
import { activate } from "./changes.ts";
import type { ZookeeperDesired } from "./desired.ts";
import { hasMajority, quorumOf } from "./ensemble.ts";
import type { ZookeeperFacts } from "./facts.ts";
import { runsItsZooCfg, SHOWN, serves, stateOf, whyRoleUnread } from "./member.ts";
import { parseProperties, sameServers, serversOf } from "./properties.ts";
import { STARTED, UNIT, UNIT_FILE, ZOO_CFG } from "./render.ts";
import { whyStopped } from "./stopped.ts";
import { nextToRestart } from "./waves.ts";

/**
 * A member of the ensemble. One that runs and serves nobody may be waiting for its peers; it is broken when they have
 * a quorum that it does not join. Members restart as the quorum allows, whatever is restarted for.
 */
export const service: Service<ZookeeperDesired, ZookeeperFacts> = {
  health(facts, self): Health | undefined {
    const { unit, process, started } = facts;
    if (unit.load === "not-found") return undefined;
    if (process === undefined) return { is: "broken", because: `${UNIT} ${whyStopped(facts)}` };
    const state = stateOf(facts);
    if (!serves(state)) {
      const because = `${UNIT} runs and does not serve: ${SHOWN[state]}`;
      const seconds = facts.unit.ageSeconds ?? 0;
      // It has loaded its data, has had the time to take in the leader's, and the others do without it. One that
      // has run for much longer had joined before, and may have lost its leader just now.
      const isLeftOut =
        self !== undefined &&
        state === "looking" &&
        seconds >= joinSeconds(self.desired) &&
        seconds < 10 * joinSeconds(self.desired) &&
        hasMajority(quorumOf(self.desired, self.fleet));
      return isLeftOut
        ? { is: "broken", because: `${because}, ${seconds} s after its start, while the others have one` }
        : { is: "undecided", because };
    }
    if (isUnsteady(facts.unit)) return { is: "broken", because: `${UNIT} is ${showUnsteady(facts.unit)}` };
    const unread = facts.unread.get("start record");
    if (unread !== undefined) return { is: "undecided", because: `${STARTED} was not read: ${unread}` };
    if (started === undefined || runsItsZooCfg(facts)) return { is: "healthy" };
    return { is: "undecided", because: `${UNIT} still runs with another zoo.cfg than the one on disk` };
  },
  keeps,
  activate: () => [activate("restart")],
  next: nextToRestart,
};

/** Whether a member serves: the quorum is whole while each that did does. */
export function vitals(_: ZookeeperDesired, facts: ZookeeperFacts): Vitals {
  if (facts.unit.load === "not-found") return { is: "read", of: new Map(), shownAfterMs: 0 };
  const unread = whyRoleUnread(facts);
  if (unread !== undefined) return { is: "unread", because: unread };
  const state = stateOf(facts);
  const vital: Vital = serves(state)
    ? { is: "well" }
    : { is: "bad", because: `does not serve: ${SHOWN[state]}` };
  return { is: "read", of: new Map([["the ensemble's member", vital]]), shownAfterMs: 0 };
}

/** How long a member with its data loaded may take to join: a leader gives it initLimit ticks. */
function joinSeconds({ initLimit, tickTimeMs }: ZookeeperDesired): number {
  return Math.max(60, (2 * initLimit * tickTimeMs) / 1000);
}

/** Data and votes are their member's and its ensemble's: what says whose they are never goes back by itself. */
function keeps({ path, before, now }: ReplacedFile): string | undefined {
  if (path !== ZOO_CFG && path !== UNIT_FILE)
    return "the data beside it is this member's: it never goes back";
  if (before === undefined) return "there was none of meshctl's before, and what ran then had other data";
  if (path === UNIT_FILE) return undefined;
  const [was, is] = [parseProperties(before), parseProperties(now ?? "")];
  const moved = ["dataDir", "dataLogDir"].find((key) => was.get(key)?.value !== is.get(key)?.value);
  if (moved !== undefined)
    return `the old file has another ${moved}, and a member must not start without its data`;
  if (sameServers(serversOf(was), serversOf(is))) return undefined;
  return "the old file has other members, and two member sets can make two ensembles of one";
}
