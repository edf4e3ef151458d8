import { isSameIp, parseIp } from "../ip.ts";
import { type HaproxyConfig, serversOf } from "./config.ts";

/** A server in a line of HAProxy's `show stat`. */
export interface ServerState {
  readonly backend: string;
  readonly name: string;
  readonly status: string;
  readonly weight: number;
  /** "10.0.0.2:9001", "[2001:db8::1]:9001"; undefined before HAProxy 1.7, which cannot be told another either. */
  readonly address: string | undefined;
}

/** From back end, name, status, weight and address. */
export function serverState([backend, name, status, weight, address]: readonly string[]): ServerState {
  return {
    backend: backend!,
    name: name!,
    status: status ?? "",
    weight: Number(weight),
    address: address || undefined,
  };
}

/** A server that the worker treats otherwise than the file says, because somebody told it so over its socket. */
export interface AlteredServer {
  readonly name: string;
  readonly how: string;
  /** What takes it back, said to the socket; undefined where that would hold more than names and numbers. */
  readonly undo: string | undefined;
}

/**
 * Servers of the worker that somebody sent elsewhere, drained or gave another weight by hand. One that registered
 * itself with weight 0 shows "DRAIN" too and is as it wants to be. A server that the file has by a name has the
 * address that HAProxy resolved when it read the file: that proves nothing. Maintenance is an alteration only where
 * no watcher uses it for the servers that have left: `isMaintenanceOurs`.
 */
export function serversAltered(
  servers: readonly ServerState[],
  config: HaproxyConfig,
  service: string,
  { isMaintenanceOurs }: { readonly isMaintenanceOurs: boolean },
): readonly AlteredServer[] {
  const configured = new Map(serversOf(config, service).map((server) => [server.name, server]));
  return servers.flatMap(({ backend, name, status, weight, address }): AlteredServer[] => {
    const server = configured.get(name);
    if (backend !== service || server === undefined) return [];
    const { host, port } = server;
    const order = (...words: readonly (string | number)[]) => orderFor(`${service}/${name}`, words);
    if (status.startsWith("MAINT")) {
      // "MAINT (resolution)" is HAProxy's own doing.
      const isByHand = !isMaintenanceOurs && !server.disabled && !status.includes("resolution");
      return isByHand ? [{ name, how: "is in maintenance", undo: order("state", "ready") }] : [];
    }
    if (address !== undefined && parseIp(host) !== undefined && !isAddress(address, host, port)) {
      return [{ name, how: `was sent to ${address}`, undo: order("addr", host, "port", port) }];
    }
    const wants = weightIn(server.options);
    if (weight !== wants) return [{ name, how: `has weight ${weight}`, undo: order("weight", wants) }];
    if (!status.startsWith("DRAIN") || wants === 0) return [];
    return [{ name, how: "is drained", undo: order("state", "ready") }];
  });
}

/** What a person should do about them; undefined when there are none. */
export function alteredWords(altered: readonly AlteredServer[], socket: string): string | undefined {
  if (altered.length === 0) return undefined;
  const names = altered.map(({ name, how }) => `${name} ${how}`).join(", ");
  const orders = altered.flatMap(({ undo }) => undo ?? []);
  const advice =
    orders.length < altered.length
      ? "A reload of HAProxy takes it back"
      : `Tell ${socket} to take it back: ${orders.join("; ")}`;
  return `changed by hand: ${names}. ${advice}`;
}

/** HAProxy's socket takes several orders in a line, and the names of servers are what backends say of themselves. */
function orderFor(server: string, words: readonly (string | number)[]): string | undefined {
  const order = ["set server", server, ...words].join(" ");
  return /^[\w./: -]+$/.test(order) ? order : undefined;
}

/** As HAProxy reads it: digits, whatever follows them ("100%"). */
function weightIn(options: string): number {
  return Number(/(?:^| )weight (\d+)/.exec(options)?.[1] ?? 1);
}

/** Whether "10.0.0.2:9001" or "[2001:db8::1]:9001" is this host and port, however the host is written. */
function isAddress(shown: string, host: string, port: number): boolean {
  const [, ip = "", at] = /^\[?(.*?)\]?:(\d+)$/.exec(shown) ?? [];
  return isSameIp(ip, host) && Number(at) === port;
}
