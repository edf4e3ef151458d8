import type { HostName } from "../../contract/inventory-view.ts";
import type { Fleet } from "../../contract/step.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { ZookeeperFacts } from "./facts.ts";
import { idOnDisk, serversInUse } from "./member.ts";
import type { Servers } from "./properties.ts";
import { serverOf } from "./render.ts";

export type ZookeeperFleet = Fleet<ZookeeperDesired, ZookeeperFacts>;

/** Every member's id, or why one cannot be told. */
export type Roster =
  | { readonly is: "known"; readonly ids: ReadonlyMap<HostName, number> }
  | { readonly is: "unknown"; readonly because: string };

/**
 * A member's id is the one the inventory states, else the one it has (its myid, or what the ensemble's own zoo.cfg
 * says of its address), else the lowest that is free, in inventory order. Numbers are given only when every member
 * was seen: an unseen one may hold any. So reordering or removing hosts renumbers nobody.
 */
export function rosterOf({ members, ports }: ZookeeperDesired, fleet: ZookeeperFleet): Roster {
  const ids = new Map<HostName, number>();
  const take = (host: HostName, id: number | undefined) => {
    if (id !== undefined && !ids.has(host)) ids.set(host, id);
  };
  for (const { host, id } of members) take(host, id);
  for (const { host } of members) {
    const seen = seenMember(fleet, host);
    if (seen !== undefined) take(host, idOnDisk(seen.facts));
  }
  for (const { host, address } of members) {
    const id = idByAddress(fleet, serverOf(address, ports));
    if (id !== undefined && ![...ids.values()].includes(id)) take(host, id);
  }
  for (const [host, id] of ids) {
    const twin = [...ids].find(([other, same]) => other !== host && same === id);
    if (twin !== undefined) {
      return {
        is: "unknown",
        because: `${host} and ${twin[0]} are both member ${id}: state the right ids at the hosts (zookeeper.id)`,
      };
    }
  }
  const without = members.filter(({ host }) => !ids.has(host));
  const unseen = members.find(({ host }) => seenMember(fleet, host) === undefined);
  if (without.length > 0 && unseen !== undefined) {
    return {
      is: "unknown",
      because: `${without[0]!.host} has no id yet, and ${unseen.host}, which cannot be seen, may have any: bring ${unseen.host} up, or state the ids at the hosts (zookeeper.id)`,
    };
  }
  for (const { host } of without) {
    const because = seenMember(fleet, host)!.facts.unread.get("myid");
    if (because === undefined) continue;
    return {
      is: "unknown",
      because: `the myid of ${host} was not read and may hold any id (${because}): look at it there, or state the ids at the hosts (zookeeper.id)`,
    };
  }
  giveFreeIds(members, ids);
  return { is: "known", ids };
}

/** The ids of an ensemble none of whose hosts is a member yet. */
export function firstIds({ members }: ZookeeperDesired): ReadonlyMap<HostName, number> {
  const stated = members.flatMap(({ host, id }) => (id === undefined ? [] : [[host, id] as const]));
  return giveFreeIds(members, new Map(stated));
}

function giveFreeIds(members: ZookeeperDesired["members"], ids: Map<HostName, number>): typeof ids {
  for (const { host } of members) {
    if (ids.has(host)) continue;
    const taken = new Set(ids.values());
    let free = 1;
    while (taken.has(free)) free += 1;
    ids.set(host, free);
  }
  return ids;
}

/** The member set as zoo.cfg has it. A lone member stands alone: a single server line is an error to ZooKeeper. */
export function serversFor(
  { members, ports }: ZookeeperDesired,
  ids: ReadonlyMap<HostName, number>,
): Servers {
  if (members.length < 2) return new Map();
  const servers = members.map(({ host, address }) => [ids.get(host)!, serverOf(address, ports)] as const);
  return new Map([...servers].sort(([a], [b]) => a - b));
}

export function seenMember(fleet: ZookeeperFleet, host: HostName) {
  const member = fleet.get(host);
  return member?.is === "seen" ? member : undefined;
}

function idByAddress(fleet: ZookeeperFleet, server: string): number | undefined {
  for (const member of fleet.values()) {
    if (member.is === "unseen") continue;
    const known = [...serversInUse(member.facts)].find(([, each]) => each === server);
    if (known !== undefined) return known[0];
  }
  return undefined;
}
