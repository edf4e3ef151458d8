import type { HostName } from "../../contract/inventory-view.ts";
import { dataHolders, hasMajority, quorumOf, survivorsOf } from "./ensemble.ts";
import { holdsData, SHOWN, type State, serves, stateOf } from "./member.ts";
import { rosterOf, seenMember, type ZookeeperFleet } from "./roster.ts";
import { viewOf } from "./view.ts";

/** Who may change next. Whoever neither starts nor restarts anything, all at once; the others as `nextToRestart` says. */
export function next(
  waiting: readonly HostName[],
  fleet: ZookeeperFleet,
): readonly HostName[] | { readonly hold: string } {
  const seen = seenOf(waiting, fleet);
  const desired = seen[0]?.desired;
  if (desired === undefined) return nextToRestart(waiting, fleet);
  const roster = rosterOf(desired, fleet);
  const isHarmless = (member: (typeof seen)[number]) => {
    const needs = roster.is === "known" ? viewOf(member, roster.ids, fleet).needs : undefined;
    return !member.host.packages.has("zookeeper") || (needs !== undefined && !needs.start && !needs.restart);
  };
  const harmless = seen.filter(isHarmless);
  return harmless.length > 0 ? harmless.map(({ name }) => name) : nextToRestart(waiting, fleet);
}

function seenOf(waiting: readonly HostName[], fleet: ZookeeperFleet) {
  return waiting.flatMap((host) => {
    const member = seenMember(fleet, host);
    return member === undefined ? [] : [{ name: host, ...member }];
  });
}

/**
 * Who may be started or restarted next. A member that does not serve may always be started, all such at once, unless
 * it is empty: empty members start when a majority serves and can teach them, or when every member was seen and none
 * holds data. Those that serve restart one by one, the leader last, and only while a majority of the others serves
 * in step.
 */
export function nextToRestart(
  waiting: readonly HostName[],
  fleet: ZookeeperFleet,
): readonly HostName[] | { readonly hold: string } {
  const seen = seenOf(waiting, fleet);
  const desired = seen[0]?.desired;
  if (desired === undefined) return { hold: `${waiting.join(", ")} cannot be seen` };

  const quorum = quorumOf(desired, fleet);
  // A lone server among several members serves no quorum; if anybody depended on it, its host would be blocked.
  const isServing = (state: State) => serves(state) && (state !== "standalone" || quorum.members === 1);
  const idle = seen.filter(({ facts }) => !isServing(stateOf(facts)));
  const withData = idle.filter(({ facts }) => holdsData(facts));
  const free = withData.filter(({ facts }) => stateOf(facts) !== "silent");
  if (free.length > 0) return free.map(({ name }) => name);
  // One that is only slow to answer may serve after all: no two of those at once.
  if (withData.length > 0) return withData.slice(0, 1).map(({ name }) => name);

  const { holders, unseen } = dataHolders(desired, fleet);
  const isFirstStart = holders.length === 0 && unseen.length === 0;
  if (idle.length > 0 && (isFirstStart || hasMajority(quorum))) return idle.map(({ name }) => name);

  const serving = seen.filter(({ facts }) => isServing(stateOf(facts))).map(({ name }) => name);
  const inTurn = [
    ...serving.filter((host) => quorum.states.get(host) !== "leader"),
    ...serving.filter((host) => quorum.states.get(host) === "leader"),
  ];
  const [turn] = inTurn;
  if (turn === undefined) {
    const empty = idle.map(({ name }) => name).join(", ");
    return unseen.length > 0
      ? {
          hold: `${empty} would start empty while ${unseen[0]} cannot be seen and may hold data: bring it up first`,
        }
      : {
          hold: `${empty} would start empty while ${holders[0]} holds data and no majority serves, and could form a quorum without it: bring their data back, or copy version-2 from ${holders[0]} to one of them`,
        };
  }
  // With one or two members no majority can survive a restart: the plan says so, and nothing is lost but time.
  const others = [...quorum.states].filter(([host]) => host !== turn);
  if (quorum.members <= 2 && others.every(([, state]) => state !== "unseen" && serves(state))) return [turn];
  if (survivorsOf(quorum, turn) >= quorum.majority) return [turn];
  const states = others.map(([host, state]) => `${host} ${SHOWN[state]}`).join(", ");
  if (quorum.uncounted !== undefined)
    return {
      hold: `how many members are in step is not known: ${quorum.leaders[0]} did not tell (${quorum.uncounted})`,
    };
  return {
    hold: `restarting ${turn} would end the quorum: ${quorum.majority} of the other members must serve in step (${states})`,
  };
}
