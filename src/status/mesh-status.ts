import type { CommandLine } from "../command-line.ts";
import type { HostName } from "../contract/inventory-view.ts";

/** The mesh at a glance: what is wrong first, then who does what. Plain data, for screens and reports. */
export interface MeshStatus {
  /** The worst first. Empty when all is well. */
  readonly problems: readonly Problem[];
  /** Undefined when the inventory has no ensemble or no play gives it ZooKeeper. */
  readonly ensemble: EnsembleStatus | undefined;
  readonly services: readonly ServiceStatus[];
  readonly proxies: readonly ProxyStatus[];
}

/** In the order in which they are told. */
export const PROBLEM_KINDS = [
  "invalid-candidate",
  "no-quorum",
  "unreachable",
  "haproxy",
  "watcher",
  "registrar",
  "service-out",
  "panic",
  "missing",
  "stale",
  "down",
  "altered",
  "left-out",
  "untold",
  "kept",
  "member",
  "settings",
] as const;

export interface Problem {
  readonly kind: (typeof PROBLEM_KINDS)[number];
  /** Where it shows; empty for a problem of the mesh as a whole. */
  readonly hosts: readonly HostName[];
  readonly service?: string;
  /** One sentence without the hosts. */
  readonly what: string;
  /** What was read that says so. */
  readonly evidence: string;
  readonly next: CommandLine;
}

export interface EnsembleStatus {
  readonly members: readonly {
    readonly host: HostName;
    /** "leader", "follower", "standalone", "stopped", "looking for a quorum", "unreachable" … */
    readonly role: string;
    readonly serves: boolean;
    /** Why, where the role alone does not tell. */
    readonly because?: string | undefined;
  }[];
  readonly serving: number;
  /** Smallest number of members that serves. */
  readonly majority: number;
  readonly hasQuorum: boolean;
  /** Followers in step with the leader, as it counts them; undefined when no single leader tells. */
  readonly synced: number | undefined;
}

/**
 * A backend on one proxy. "missing": registered or told by DNS, and HAProxy has it not or in maintenance. "stale": HAProxy uses it
 * and it is not registered or told any more. "altered": drained, sent elsewhere or given another weight by hand. "weightless": it registered itself with weight 0.
 */
export type ServerState = "up" | "down" | "missing" | "stale" | "altered" | "weightless";

/** Whether something has to be done about a backend in this state. */
export function isWrong(state: ServerState): boolean {
  return state !== "up" && state !== "weightless";
}

export const STATE_WORDS: Readonly<Record<ServerState, string>> = {
  up: "UP",
  down: "DOWN",
  missing: "missing",
  stale: "stale",
  altered: "altered by hand",
  weightless: "weight 0",
};
export const STATES = Object.keys(STATE_WORDS) as readonly ServerState[];

export interface BackendStatus {
  /** As HAProxy names the server: "name_10.0.0.2:9001". */
  readonly name: string;
  /** Why it should be served: a node in ZooKeeper, DNS, the inventory, the last set that is kept; or that it should not. */
  readonly origin: "registered" | "dns" | "inventory" | "kept" | "none" | "unknown";
  /** Its state on every proxy that was read. */
  readonly on: ReadonlyMap<HostName, ServerState>;
}

export interface ServiceStatus {
  readonly name: string;
  /** ADDRESS:PORT on every proxy. */
  readonly front: string;
  readonly path: string | undefined;
  /** NAME:PORT of each name in DNS whose addresses are its servers; undefined where none are. */
  readonly names: readonly string[] | undefined;
  /** Backends registered in ZooKeeper; undefined when nobody could read them or the service has no path. */
  readonly registered: number | undefined;
  /** Nodes that are left out: what they say of themselves is not understood, or not allowed. */
  readonly skipped: readonly string[];
  /** The same with the reason of each; `isBackend` tells one that says of itself what it must not. */
  readonly leftOut: readonly {
    readonly node: string;
    readonly because: string;
    readonly isBackend: boolean;
  }[];
  readonly backends: readonly BackendStatus[];
}

export interface ProxyStatus {
  readonly host: HostName;
  /** Why nothing is known of it. */
  readonly unread?: string | undefined;
  readonly haproxy: HaproxyStatus | undefined;
  /** Undefined where the mesh needs none, or it could not be read. */
  readonly watcher: WatcherStatus | undefined;
  readonly counts: Readonly<Record<ServerState, number>>;
}

export interface HaproxyStatus {
  /** "unknown": haproxy.cfg, or what was loaded, was not read. */
  readonly is: "as on disk" | "older than the file" | "reload failed" | "no answer" | "stopped" | "unknown";
  /** Since the worker was started, by a reload or a restart. */
  readonly ageSeconds: number | undefined;
  readonly version: string | undefined;
}

export interface WatcherStatus {
  readonly is: "as on disk" | "older than its files" | "stopped";
  readonly ageSeconds: number | undefined;
  /** Members of the ensemble it has a connection to; undefined where no service has a path. */
  readonly sessions: readonly string[] | undefined;
  /** What became of the last haproxy.cfg it wrote. */
  readonly candidate: "installed" | "waits" | "invalid" | "refused" | "failed" | "none yet";
  /** How the last reload it asked for ended. */
  readonly reload: "ok" | "failed" | "none yet";
}

export function runsWhatIsOnDisk({ haproxy, watcher, unread }: ProxyStatus): boolean {
  return (
    unread === undefined &&
    (haproxy === undefined || haproxy.is === "as on disk") &&
    (watcher === undefined || watcher.is === "as on disk")
  );
}

/** Whether it runs what is on disk, has a session with ZooKeeper where it needs one, and serves what it should. */
export function isProxyWell(proxy: ProxyStatus): boolean {
  const { watcher, counts } = proxy;
  return (
    runsWhatIsOnDisk(proxy) &&
    (watcher === undefined || (watcher.candidate === "installed" && watcher.sessions?.length !== 0)) &&
    STATES.every((state) => !isWrong(state) || counts[state] === 0)
  );
}
