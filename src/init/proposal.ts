import { maxconnWithin } from "../haproxy/open-files.ts";
import type { HostName } from "../host-name.ts";
import { type LookedHost, type Seen, seenOf } from "./looked-host.ts";

const MIB = 2 ** 20;
/** What the steps claim of a host's memory beside what is proposed here: preflight refuses less. */
const RESERVE_BYTES = 256 * MIB;
const ZOOKEEPER_BESIDE_HEAP_BYTES = 256 * MIB;
const WATCHER_BYTES = 100 * MIB;
const DATABASE_BESIDE_POOL_BYTES = 200 * MIB;
const POOL_STEP_BYTES = 128 * MIB;
const DEFAULT_HEAP_BYTES = 1024 * MIB;
const LEAST_HEAP_BYTES = 64 * MIB;
const DEFAULT_MAXCONN = 50_000;
/** Shares of memory that a buffer pool may take, best first. */
const POOL_PERCENTS = [75, 60, 50, 40, 30, 20, 10];
const MOST_TRIED_PORTS = 200;

/** As the inventory has it: "75%", "512M". */
export function poolText({ pool }: Proposal): string {
  return "percent" in pool ? `${pool.percent}%` : `${pool.bytes / MIB}M`;
}

/** What somebody has decided already. */
export interface Wanted {
  readonly ensemble?: readonly HostName[];
  readonly proxies?: readonly HostName[];
  readonly databases?: readonly HostName[];
  readonly services?: readonly string[];
}

export interface Proposal {
  readonly ensemble: readonly HostName[];
  readonly proxies: readonly HostName[];
  readonly databases: readonly HostName[];
  readonly ports: { readonly client: number; readonly quorum: number; readonly election: number };
  /** Bytes, where the default does not fit. */
  readonly heapBytes: number | undefined;
  /** HAProxy's, where the default does not fit. */
  readonly maxconn: number | undefined;
  readonly services: readonly { readonly name: string; readonly port: number }[];
  /** Free on every proxy that was looked at, for a service to come. */
  readonly nextPort: number;
  /** Whether every proxy was looked at. */
  readonly areProxiesSeen: boolean;
  /** Whether no member holds data of an ensemble yet, whose ids would have to be kept. */
  readonly isNewEnsemble: boolean;
  /** Of the databases: a share of each host's memory, or a size where one of them is a member of the ensemble, too. */
  readonly pool: { readonly percent: number } | { readonly bytes: number };
  /** Of MariaDB's and MySQL's redo logs, where the default is more than a quarter of the pool. */
  readonly logFileBytes: number | undefined;
  /** What preflight would refuse otherwise. */
  readonly virtualization: readonly string[];
  readonly allowOs: readonly string[];
}

/** How many members an ensemble of so many hosts has. */
export function ensembleSize(hosts: number): 1 | 3 | 5 {
  if (hosts >= 5) return 5;
  return hosts >= 3 ? 3 : 1;
}

/** Hosts in their roles, with ports that are free and sizes that fit. `groups`: as the hosts' source has them. */
export function proposalFor(
  hosts: readonly LookedHost[],
  groups: ReadonlyMap<string, readonly HostName[]>,
  wanted: Wanted = {},
): Proposal {
  const databases =
    wanted.databases ??
    groups.get("databases") ??
    hosts.filter((host) => seenOf(host)?.database !== undefined).map(({ name }) => name);
  const ensemble = wanted.ensemble ?? ensembleOf(hosts, groups.get("zookeeper") ?? [], databases);
  const proxies = wanted.proxies ?? groups.get("proxies") ?? proxiesOf(hosts, databases);

  const seenIn = (names: readonly HostName[]) =>
    hosts.filter(({ name }) => names.includes(name)).flatMap((host) => seenOf(host) ?? []);
  const taken = new Set<number>();
  const free = (from: number, on: readonly HostName[], process: string): number => {
    const seen = seenIn(on);
    const isTaken = (port: number) =>
      taken.has(port) ||
      seen.some(({ listeners }) => listeners.some((each) => each.port === port && each.process !== process));
    let port = from;
    while (isTaken(port) && port < from + MOST_TRIED_PORTS) port++;
    taken.add(port);
    return port;
  };
  const ports = {
    client: free(2181, ensemble, "java"),
    quorum: free(2888, ensemble, "java"),
    election: free(3888, ensemble, "java"),
  };
  const services = (wanted.services ?? []).map((name) => ({ name, port: free(8080, proxies, "haproxy") }));

  const besidesDatabase = (name: HostName) =>
    RESERVE_BYTES +
    (proxies.includes(name) ? WATCHER_BYTES : 0) +
    (ensemble.includes(name) ? LEAST_HEAP_BYTES + ZOOKEEPER_BESIDE_HEAP_BYTES : 0);
  const databaseHosts = hosts.filter(({ name }) => databases.includes(name));
  const poolPercent =
    POOL_PERCENTS.find((percent) =>
      databaseHosts.every((host) => {
        const seen = seenOf(host);
        if (seen === undefined) return true;
        const needed =
          (seen.memoryBytes * percent) / 100 + DATABASE_BESIDE_POOL_BYTES + besidesDatabase(host.name);
        return needed <= seen.memoryBytes && (!isShared(host.name, ensemble, proxies) || percent <= 50);
      }),
    ) ?? POOL_PERCENTS.at(-1)!;
  const smallestPool =
    Math.min(...databaseHosts.flatMap((host) => seenOf(host)?.memoryBytes ?? [])) * (poolPercent / 100);
  const seen = hosts.flatMap((host) => seenOf(host) ?? []);
  return {
    ensemble,
    proxies,
    databases,
    ports,
    heapBytes: heapFor(hosts, ensemble, proxies, databases, poolPercent),
    maxconn: maxconnFor(seenIn(proxies)),
    services,
    nextPort: free(8080, proxies, "haproxy"),
    areProxiesSeen: seenIn(proxies).length === proxies.length,
    isNewEnsemble:
      seenIn(ensemble).length === ensemble.length && seenIn(ensemble).every(({ zookeeper }) => !zookeeper),
    pool: databases.some((name) => ensemble.includes(name))
      ? { bytes: poolBytes(smallestPool) }
      : { percent: poolPercent },
    logFileBytes: logFileFor(smallestPool),
    virtualization: [...new Set(seen.map(({ virtualization }) => virtualization))].filter(
      (kind) => !["kvm", "none", ""].includes(kind),
    ),
    allowOs: [...new Set(seen.flatMap(({ supported }) => (supported === true ? [] : supported.allow)))],
  };
}

function isShared(name: HostName, ...roles: readonly (readonly HostName[])[]): boolean {
  return roles.some((role) => role.includes(name));
}

/** Members that are there stay; then hosts without a database, the faster disks first. In the hosts' order. */
function ensembleOf(
  hosts: readonly LookedHost[],
  named: readonly HostName[],
  databases: readonly HostName[],
): readonly HostName[] {
  const flushMs = (host: LookedHost) => {
    const flush = seenOf(host)?.flush;
    return flush !== undefined && "ms" in flush ? flush.ms : Number.MAX_VALUE;
  };
  const rank = (host: LookedHost) => [
    named.includes(host.name) ? 0 : 1,
    seenOf(host)?.zookeeper === true ? 0 : 1,
    seenOf(host) === undefined && host.seen !== undefined ? 1 : 0,
    databases.includes(host.name) ? 1 : 0,
    // A difference of a few milliseconds is no reason to leave the order of the names.
    flushMs(host) > 10 ? 1 : 0,
  ];
  const sorted = hosts
    .map((host, at) => ({ name: host.name, key: [...rank(host), at] }))
    .sort((a, b) => {
      const at = a.key.findIndex((value, index) => value !== b.key[index]);
      return at === -1 ? 0 : a.key[at]! - b.key[at]!;
    });
  const there = named.length || hosts.filter((host) => seenOf(host)?.zookeeper === true).length;
  // A running ensemble keeps its members as far as they are an odd number.
  const size = there >= 3 ? Math.min(7, there - ((there + 1) % 2)) : ensembleSize(hosts.length);
  const chosen = new Set(sorted.slice(0, size).map(({ name }) => name));
  return hosts.map(({ name }) => name).filter((name) => chosen.has(name));
}

/** Applications call the proxy of their own host: every host but those that only hold a database. */
function proxiesOf(hosts: readonly LookedHost[], databases: readonly HostName[]): readonly HostName[] {
  const names = hosts.map(({ name }) => name);
  const others = names.filter((name) => !databases.includes(name));
  return others.length === 0 ? names : others;
}

/** Undefined where the default fits every member. */
function heapFor(
  hosts: readonly LookedHost[],
  ensemble: readonly HostName[],
  proxies: readonly HostName[],
  databases: readonly HostName[],
  poolPercent: number,
): number | undefined {
  const room = hosts
    .filter(({ name }) => ensemble.includes(name))
    .flatMap((host) => {
      const memoryBytes = seenOf(host)?.memoryBytes;
      if (memoryBytes === undefined) return [];
      const pool = databases.includes(host.name)
        ? (memoryBytes * poolPercent) / 100 + DATABASE_BESIDE_POOL_BYTES
        : 0;
      const watcher = proxies.includes(host.name) ? WATCHER_BYTES : 0;
      return [memoryBytes - RESERVE_BYTES - ZOOKEEPER_BESIDE_HEAP_BYTES - watcher - pool];
    });
  const least = Math.min(...room);
  if (least >= DEFAULT_HEAP_BYTES) return undefined;
  const heap = least - (least % LEAST_HEAP_BYTES);
  return Math.max(LEAST_HEAP_BYTES, Math.min(heap, DEFAULT_HEAP_BYTES / 2));
}

function maxconnFor(seen: readonly Seen[]): number | undefined {
  const most = Math.min(...seen.map(({ hardOpenFiles, cpus }) => maxconnWithin(hardOpenFiles, cpus)));
  if (most >= DEFAULT_MAXCONN || most < 100) return undefined;
  return most - (most % 100);
}

/** Whole 128 MiB, as the servers have it. Of hosts that nobody looked at it is what MySQL takes of itself. */
function poolBytes(smallest: number): number {
  if (!Number.isFinite(smallest)) return POOL_STEP_BYTES;
  return Math.max(POOL_STEP_BYTES, smallest - (smallest % POOL_STEP_BYTES));
}

/** A quarter of the pool in whole 16 MiB; undefined where the default, 512 MiB, is no more than that. */
function logFileFor(poolBytes: number): number | undefined {
  const quarter = poolBytes / 4;
  if (!Number.isFinite(quarter) || quarter >= 512 * MIB) return undefined;
  return Math.max(16 * MIB, quarter - (quarter % (16 * MIB)));
}

/** What is wrong with an ensemble that a person chose; undefined where nothing is. */
export function ensembleProblem(members: readonly HostName[]): string | undefined {
  if (members.length === 0) return "an ensemble has at least one member";
  if (members.length % 2 === 1 && members.length <= 7) return undefined;
  const fewer = members.length > 7 ? 7 : members.length - 1;
  return `${members.length} members bear no more losses than ${fewer}: choose an odd number, 1, 3 or 5`;
}

export function isServiceName(name: string): boolean {
  return /^[A-Za-z0-9][\w.-]*$/.test(name);
}
