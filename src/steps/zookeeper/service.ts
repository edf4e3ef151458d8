import type { Health, ReplacedFile, Service } from "../../step.ts";
import { activate } from "./changes.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { ZookeeperFacts } from "./facts.ts";
import { runsItsZooCfg, SHOWN, serves, stateOf } from "./member.ts";
import { parseProperties, sameServers, serversOf } from "./properties.ts";
import { UNIT, UNIT_FILE, ZOO_CFG } from "./render.ts";
import { whyStopped } from "./stopped.ts";
import { nextToRestart } from "./waves.ts";

/**
 * A member of the ensemble. Broken is only one that does not run: one that runs and serves nobody may be waiting for
 * its peers. Members restart as the quorum allows, whatever is restarted for.
 */
export const service: Service<ZookeeperDesired, ZookeeperFacts> = {
  health(facts): Health | undefined {
    const { unit, process, started } = facts;
    if (unit.load === "not-found") return undefined;
    if (process === undefined) return { is: "broken", because: `${UNIT} ${whyStopped(facts)}` };
    const state = stateOf(facts);
    if (!serves(state)) {
      return { is: "undecided", because: `${UNIT} runs and does not serve: ${SHOWN[state]}` };
    }
    if (started === undefined || runsItsZooCfg(facts)) return { is: "healthy" };
    return { is: "undecided", because: `${UNIT} still runs with another zoo.cfg than the one on disk` };
  },
  keeps,
  activate: () => [activate("restart")],
  next: nextToRestart,
};

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
