import type { HostName } from "../host-name.ts";
import type { Secret } from "../secret.ts";

/** What the inventory's `mesh:` says. Ports and membership come from here, never from plays. */
export interface Mesh {
  /** Members of the ZooKeeper ensemble, in inventory order. Empty when there is none. */
  readonly ensemble: readonly {
    readonly host: HostName;
    readonly address: string;
    readonly id: number | undefined;
  }[];
  readonly zookeeper: {
    readonly clientPort: number;
    readonly quorumPort: number;
    readonly electionPort: number;
    /** Who alone may register backends; undefined where everybody may. */
    readonly auth?: ZookeeperAuth | undefined;
  };
  /** Hosts with a local proxy, in inventory order. */
  readonly proxies: readonly HostName[];
  /** Address blocks that backends come from; empty when they may come from anywhere. */
  readonly networks: readonly string[];
  readonly services: readonly Service[];
  /**
   * Set where ZooKeeper's ports are to be closed to all who need them not. `also`: addresses and networks that the
   * client port is open to beside proxies, registrars and members.
   */
  readonly firewall?: { readonly also: readonly string[] } | undefined;
}

/** An account by ZooKeeper's digest scheme. */
export interface ZookeeperAuth {
  readonly user: string;
  readonly password: Secret;
}

/** One service of the mesh: a front end on every proxy host, a back end of the servers that live. */
export interface Service {
  readonly name: string;
  readonly mode: "http" | "tcp";
  /** Address the front end binds to on every proxy host. */
  readonly bind: string;
  /** Further addresses, with the same port. */
  readonly alsoBind?: readonly string[] | undefined;
  /** What follows the first address on HAProxy's `bind` line: "ssl crt /etc/ssl/mesh.pem". */
  readonly bindOptions?: string | undefined;
  readonly port: number;
  /** Milliseconds, where the service does not go by those of all. */
  readonly timeouts?: Readonly<Partial<Record<"connect" | "client" | "server" | "queue" | "tunnel", number>>>;
  /** Connections of the front end at the same time. */
  readonly maxconn?: number | undefined;
  readonly retries?: number | undefined;
  /** Further lines of HAProxy's sections, and options of every server line. */
  readonly lines?:
    | { readonly frontend: readonly string[]; readonly backend: readonly string[]; readonly server: string }
    | undefined;
  /** Where its servers come from. */
  readonly discovery: Discovery;
  /** Static servers; beside a path these are Synapse's default servers. */
  readonly servers: readonly {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    /** What its server line says more than others: "backup weight 10". */
    readonly options?: string | undefined;
  }[];
  readonly balance: string;
  /** Percent of its servers: while fewer are up by their checks, requests go to all of them. Off where it is 0 or not there. */
  readonly panicPercent?: number | undefined;
  /** What a backend may say of itself in its znode beside the usual: "ssl", "verify none", "alpn *". */
  readonly serverOptionsAllowed: readonly string[];
  readonly check: {
    /** Set where HAProxy checks no server: one that is dead stays in. */
    readonly off?: true | undefined;
    /** For example { method: "GET", path: "/health" }; undefined checks TCP only. */
    readonly http: { readonly method: string; readonly path: string } | undefined;
    /** The request's Host header; it is HTTP/1.1 then. */
    readonly httpHost?: string | undefined;
    /** Further lines of the check: what it asks a database, what it expects. */
    readonly lines?: readonly string[];
    /** Where it is made, when not where the server is. */
    readonly port?: number | undefined;
    readonly interMs: number;
    readonly rise: number;
    readonly fall: number;
    /** A server that freezes or vanishes must be out within a second or so: slower numbers above do not count. */
    readonly failFast: boolean;
  };
}

/** Where a service's servers come from: what each kind of it needs. */
export type Discovery = { readonly by: "inventory" } | ByZookeeper | ByDns;

/** The children of a path are the live backends. */
export interface ByZookeeper {
  readonly by: "zookeeper";
  readonly path: string;
  /** Which of the backends at the path are this service's, where several share it; undefined where all are. */
  readonly labels?: readonly LabelRule[] | undefined;
  /** What becomes of a path that lists no backend, where the watcher's `when_empty` does not say it for this service. */
  readonly whenEmpty?: "keep_last" | "serve_none" | undefined;
  /** The static servers are served beside those that the path lists, not only while it lists none. */
  readonly keepsServers?: true | undefined;
}

/** A service whose backends register. */
export type RegisteredService = Service & { readonly discovery: ByZookeeper };

/** The addresses of names are the servers. One that is not told keeps those that it had last. */
export interface ByDns {
  readonly by: "dns";
  readonly names: readonly { readonly host: string; readonly port: number }[];
  /** Whom the proxies ask, when not whom their own /etc/resolv.conf says. */
  readonly nameserver?: string | undefined;
  /** How often they ask. */
  readonly intervalMs: number;
}

/** Whether a watcher follows where its servers are. */
export function isFollowed({ discovery }: Pick<Service, "discovery">): boolean {
  return discovery.by !== "inventory";
}

/** The path in ZooKeeper where its backends register; undefined where none do. */
export function pathOf({ discovery }: Pick<Service, "discovery">): string | undefined {
  return discovery.by === "zookeeper" ? discovery.path : undefined;
}

/** The names of DNS that a service goes by, NAME:PORT. */
export function namesOf({ names }: ByDns): readonly string[] {
  return names.map(({ host, port }) => `${host}:${port}`);
}

/** In Synapse's own words, an entry of its `label_filters`. */
export interface LabelRule {
  readonly label: string;
  readonly value: string;
  readonly condition: "equals" | "not-equals";
}

/** Whether a watcher follows ZooKeeper or DNS on the proxies, and so is the one that writes haproxy.cfg. */
export function hasWatcher(mesh: Mesh): boolean {
  return mesh.services.some(isFollowed);
}
