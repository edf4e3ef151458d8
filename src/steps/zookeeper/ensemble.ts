import type { HostName } from "../../contract/inventory-view.ts";
import { zookeeperQuestion } from "../../evidence/by-hand.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { ZookeeperFacts } from "./facts.ts";
import {
  dataDirectoryInUse,
  dataIn,
  holdsData,
  type State,
  serversInUse,
  serves,
  stateOf,
  syncedFollowersOf,
  whyRoleUnread,
  whyRunningUnread,
  whyUnanswered,
} from "./member.ts";
import { type Servers, sameServers, showServers } from "./properties.ts";
import { seenMember, type ZookeeperFleet } from "./roster.ts";

/**
 * Why the members must not be changed to `wanted`: an ensemble that lives has others. Two member sets can each find
 * a majority, and then there are two ensembles of one name.
 */
export function membershipConflict(
  desired: ZookeeperDesired,
  wanted: Servers,
  fleet: ZookeeperFleet,
): string | undefined {
  for (const [host, member] of fleet) {
    if (member.is === "unseen" || !lives(member.facts) || whyRunningUnread(member.facts) !== undefined)
      continue;
    const found = stateOf(member.facts) === "standalone" ? new Map() : serversInUse(member.facts);
    if (sameServers(found, wanted) || isTheLoneMember(desired, found, wanted)) continue;
    return `the ensemble lives and ${host} has other members (${showServers(found)}; wanted: ${showServers(wanted)}): meshctl does not change the members of a living ensemble. Let the inventory name those it has, or change them by hand, one restart at a time, leader last`;
  }
  return undefined;
}

/** Why it is not known which members a living ensemble has, by the first member that did not tell. */
export function membersUnread(fleet: ZookeeperFleet): string | undefined {
  for (const [host, member] of fleet) {
    const because = member.is === "unseen" ? undefined : whyRunningUnread(member.facts);
    if (because !== undefined)
      return `${host} runs with another zoo.cfg than the one on disk, and did not tell which (${because})`;
  }
  return undefined;
}

/** Whether somebody depends on the configuration it has: it serves, or holds what a quorum agreed on. */
function lives(facts: ZookeeperFacts): boolean {
  const directory = dataDirectoryInUse(facts);
  const data = directory === undefined ? "none" : dataIn(facts, directory);
  // A server as the package starts it, to which nothing was ever written, is nobody's.
  if (facts.zooCfg.packaged === "default" && data !== "holds") return false;
  return serves(stateOf(facts)) || data === "holds";
}

/** ZooKeeper ignores a single server line: alone is alone. */
function isTheLoneMember({ members }: ZookeeperDesired, found: Servers, wanted: Servers): boolean {
  return (
    wanted.size === 0 && found.size === 1 && [...found.values()][0]!.startsWith(`${members[0]?.address}:`)
  );
}

/** 3.4 and ≥ 3.5 do not form one ensemble: their elections and snapshots differ. */
export function versionConflict({ members }: ZookeeperDesired, fleet: ZookeeperFleet): string | undefined {
  const old: string[] = [];
  const current: string[] = [];
  for (const { host } of members) {
    const version = seenMember(fleet, host)?.host.packages.get("zookeeper");
    if (version === undefined) continue;
    (isBefore35(version) ? old : current).push(`${host} (${version})`);
  }
  if (old.length === 0 || current.length === 0) return undefined;
  return `ZooKeeper 3.4 on ${old.join(", ")} does not form an ensemble with ≥ 3.5 on ${current.join(", ")}: bring all members to one Debian release`;
}

function isBefore35(version: string): boolean {
  const [major, minor] = version.replace(/^\d+:/, "").split(".").map(Number);
  return major! < 3 || (major === 3 && minor! < 5);
}

export interface Quorum {
  readonly members: number;
  /** Smallest number of members that serves. */
  readonly majority: number;
  readonly states: ReadonlyMap<HostName, State | "unseen">;
  readonly leaders: readonly HostName[];
  /** Members that run, and why it was not read what they do. */
  readonly unread: ReadonlyMap<HostName, string>;
  /** As the only leader counts them. */
  readonly synced: number | undefined;
  /** Why its count was not read. */
  readonly uncounted: string | undefined;
  /** Where the leader was asked. */
  readonly source: string;
}

export function quorumOf({ members }: ZookeeperDesired, fleet: ZookeeperFleet): Quorum {
  const states = new Map(
    members.map(({ host }) => {
      const seen = seenMember(fleet, host);
      return [host, seen === undefined ? "unseen" : stateOf(seen.facts)] as const;
    }),
  );
  const leaders = [...states].flatMap(([host, state]) => (state === "leader" ? [host] : []));
  const leader = leaders.length === 1 ? seenMember(fleet, leaders[0]!) : undefined;
  return {
    members: members.length,
    majority: Math.floor(members.length / 2) + 1,
    states,
    leaders,
    unread: new Map(
      members.flatMap(({ host }) => {
        const seen = seenMember(fleet, host);
        const because = seen === undefined ? undefined : whyRoleUnread(seen.facts);
        return because === undefined ? [] : [[host, because]];
      }),
    ),
    synced: leader === undefined ? undefined : syncedFollowersOf(leader.facts),
    uncounted: leader === undefined ? undefined : whyUnanswered(leader.facts, "mntr"),
    source:
      leader === undefined
        ? "srvr on every member"
        : `${zookeeperQuestion(leader.facts.asked?.at ?? "", "mntr")} (on ${leaders[0]})`,
  };
}

/** Members that would go on serving, in step with each other, while `host` restarts. */
export function survivorsOf(quorum: Quorum, host: HostName): number {
  const serving = [...quorum.states].filter(
    ([other, state]) => other !== host && (state === "leader" || state === "follower"),
  ).length;
  if (quorum.leaders.length !== 1 || quorum.uncounted !== undefined) return 0;
  if (quorum.synced === undefined) return serving;
  const isFollower = quorum.states.get(host) === "follower";
  const inStep = quorum.leaders[0] === host ? quorum.synced : quorum.synced + 1 - (isFollower ? 1 : 0);
  return Math.min(serving, inStep);
}

/** Whether a majority serves: an empty member may then join and is brought up to date by the leader. */
export function hasMajority({ states, leaders, majority }: Quorum): boolean {
  const serving = [...states.values()].filter((state) => state === "leader" || state === "follower");
  return leaders.length === 1 && serving.length >= majority;
}

/** Members that hold data, and those of which nobody can tell. */
export function dataHolders({ members }: ZookeeperDesired, fleet: ZookeeperFleet) {
  const holders: HostName[] = [];
  const unseen: HostName[] = [];
  for (const { host } of members) {
    const seen = seenMember(fleet, host);
    if (seen === undefined) unseen.push(host);
    else if (holdsData(seen.facts)) holders.push(host);
  }
  return { holders, unseen };
}
