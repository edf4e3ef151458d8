import type { HaproxyConfig } from "../../mesh/haproxy-config.ts";
import { serversOf } from "../../mesh/haproxy-config.ts";
import type { Service } from "../../mesh/mesh.ts";
import { type Backend, backendOf, serverName } from "./backends.ts";
import type { WatcherDesired } from "./desired.ts";
import type { HaproxyFacts, WatcherFacts } from "./facts.ts";

/** The servers a service should have now, and where that was read. */
export interface WantedServers {
  readonly names: readonly string[];
  /** Why these, when they are not simply what is registered. */
  readonly because: string | undefined;
  /** Children that Synapse skips: their data is not what it understands. */
  readonly skipped: readonly string[];
}

/** What Synapse makes of ZooKeeper's children; undefined when they could not be read. */
export function wantedServers(
  service: Service,
  { whenEmpty }: WatcherDesired,
  { registry, kept }: WatcherFacts,
): WantedServers | undefined {
  const defaults = service.servers;
  if (service.path === undefined) return wanted(defaults, undefined, []);
  if (registry === undefined || "unreachable" in registry) return undefined;
  const children = [...(registry.children.get(service.name) ?? [])];
  const skipped = children.filter(([, data]) => backendOf(data) === undefined).map(([name]) => name);
  const registered = children.flatMap(([, data]) => backendOf(data) ?? []);
  if (registered.length > 0) return wanted(registered, undefined, skipped);
  if (defaults.length > 0) return wanted(defaults, "none is registered: the inventory's servers", skipped);
  if (whenEmpty === "serve_none") return wanted([], undefined, skipped);
  const last = kept.get(service.name) ?? [];
  return wanted(last, last.length === 0 ? undefined : "none is registered: the last ones are kept", skipped);
}

function wanted(
  backends: readonly Backend[],
  because: string | undefined,
  skipped: readonly string[],
): WantedServers {
  return { names: [...new Set(backends.map(serverName))].sort(), because, skipped };
}

/** Servers that HAProxy would begin with: those of the file that are not in maintenance. */
export function serversOnDisk(config: HaproxyConfig, service: string): readonly string[] {
  return serversOf(config, service)
    .filter(({ disabled }) => !disabled)
    .map(({ name }) => name)
    .sort();
}

/** A server that the worker treats otherwise than the file says, because somebody told it so over its socket. */
export interface AlteredServer {
  readonly name: string;
  readonly how: string;
  /** What takes it back, said to the socket. */
  readonly undo: string;
}

/**
 * Servers of the worker that somebody drained or gave another weight by hand. One that registered itself with
 * weight 0 shows "DRAIN" too and is as it wants to be.
 */
export function serversAltered(
  haproxy: HaproxyFacts,
  config: HaproxyConfig,
  service: string,
): readonly AlteredServer[] {
  const weights = new Map(serversOf(config, service).map(({ name, options }) => [name, weightIn(options)]));
  return haproxy.servers.flatMap(({ backend, name, status, weight }): AlteredServer[] => {
    const configured = weights.get(name);
    if (backend !== service || configured === undefined || status.startsWith("MAINT")) return [];
    const order = `set server ${service}/${name}`;
    if (weight !== configured) {
      return [{ name, how: `has weight ${weight}`, undo: `${order} weight ${configured}` }];
    }
    if (!status.startsWith("DRAIN") || configured === 0) return [];
    return [{ name, how: "is drained", undo: `${order} state ready` }];
  });
}

function weightIn(options: string): number {
  return Number(/(?:^| )weight (\d+)(?: |$)/.exec(options)?.[1] ?? 1);
}

/** Servers the running worker uses. One that its health check has marked down is still registered. */
export function serversInForce(
  haproxy: HaproxyFacts,
  service: string,
): readonly { readonly name: string; readonly up: boolean }[] {
  return haproxy.servers
    .filter(({ backend, status }) => backend === service && !status.startsWith("MAINT"))
    .map(({ name, status }) => ({ name, up: !status.startsWith("DOWN") }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As a row shows them. */
export function showServers(names: readonly string[]): string {
  return names.length === 0 ? "no server" : names.join(", ");
}
