import { isDeepStrictEqual } from "node:util";
import type { ByDns, RegisteredService, Service } from "../../contract/mesh.ts";
import { type BackendPolicy, refusalOf } from "../../haproxy/backend-policy.ts";
import type { HaproxyConfig } from "../../haproxy/config.ts";
import { ownOptions, parseHaproxyConfig, plainOptions, serversOf } from "../../haproxy/config.ts";
import { startedWith } from "../../haproxy/loaded.ts";
import { type Altered, checkWords, serversAltered } from "../../haproxy/server-state.ts";
import { reasonOf } from "../../reader/answer.ts";
import { quotable } from "../../terminal-text.ts";
import { type Backend, backendOf, isDisabled, isOwn, serverName, withoutCanaries } from "./backends.ts";
import type { WatcherDesired } from "./desired.ts";
import type { HaproxyFacts, WatcherFacts } from "./facts.ts";

/** A child of the service's path that is no backend to HAProxy. */
export interface Skipped {
  readonly node: string;
  readonly because: string;
  /** A backend that says of itself what it must not. Anything else may be no backend at all. */
  readonly isBackend: boolean;
}

/** The servers a service should have now, and where that was read. */
export interface WantedServers {
  readonly names: readonly string[];
  /** By the name that HAProxy has for it. */
  readonly backends: ReadonlyMap<string, Backend>;
  /** Why these, when they are not simply what is registered. */
  readonly because: string | undefined;
  /** Children that are left out: what they say of themselves is not understood, or not allowed. */
  readonly skipped: readonly Skipped[];
}

type Told = Pick<WatcherFacts, "registry" | "kept" | "dns">;

/** What Synapse makes of what tells the servers; undefined when that could not be read. */
export function wantedServers(
  service: Service,
  desired: WatcherDesired,
  facts: Told,
): WantedServers | undefined {
  const { discovery } = service;
  switch (discovery.by) {
    case "inventory":
      return wanted(service.servers, undefined, []);
    case "zookeeper":
      return registeredServers({ ...service, discovery }, desired, facts);
    case "dns": {
      const found = serversInDns(service.name, discovery, desired.policy, facts);
      return "unknown" in found ? undefined : found;
    }
  }
}

/** Why it is not known which servers a service should have. */
export function whyUnknown(
  { name, discovery }: Service,
  { policy }: Pick<WatcherDesired, "policy">,
  facts: Pick<Told, "registry" | "dns">,
): string {
  if (discovery.by === "dns") {
    const found = serversInDns(name, discovery, policy, facts);
    return "unknown" in found ? found.unknown : "not read";
  }
  return facts.registry && "unreachable" in facts.registry ? facts.registry.unreachable : "not read";
}

/** The addresses of a service's names. One that DNS does not tell keeps what it had, which nothing can be compared with. */
function serversInDns(
  service: string,
  { names }: ByDns,
  policy: BackendPolicy,
  { dns }: Pick<Told, "dns">,
): WantedServers | { readonly unknown: string } {
  const told = dns.get(service);
  if (told?.is !== "value") return { unknown: quotable(told === undefined ? "not read" : reasonOf(told)) };
  const skipped: Skipped[] = [];
  const servers: Backend[] = [];
  for (const { host, port } of names) {
    const addresses = told.value.get(host) ?? { because: `nothing is told of ${host}` };
    if ("because" in addresses) return { unknown: quotable(addresses.because) };
    const all = addresses.map((address): Backend => ({ name: undefined, host: address, port }));
    const refusals = all.map((backend) => refusalOf(policy, service, backend));
    for (const [at, refused] of refusals.entries())
      if (refused !== undefined)
        skipped.push({ node: serverName(all[at]!), because: quotable(refused), isBackend: true });
    const allowed = all.filter((_, at) => refusals[at] === undefined);
    if (allowed.length === 0)
      return { unknown: `no address of ${host} may be a server: ${quotable(refusals.join(", "))}` };
    servers.push(...allowed);
  }
  return wanted(servers, undefined, skipped);
}

function registeredServers(
  service: RegisteredService,
  { whenEmpty, policy }: WatcherDesired,
  { registry, kept }: Told,
): WantedServers | undefined {
  const { servers: defaults, discovery } = service;
  if (registry === undefined || "unreachable" in registry) return undefined;
  const children = [...(registry.children.get(service.name) ?? [])];
  const skipped: Skipped[] = [];
  const registered: Backend[] = [];
  for (const [node, data] of children) {
    if (!isOwn(data, discovery.labels)) continue;
    const backend = backendOf(data, policy, service.name);
    if ("refused" in backend) skipped.push({ node, because: backend.refused, isBackend: backend.isBackend });
    else registered.push(backend);
  }
  const isRegistered = withoutCanaries(registered).length > 0;
  if (discovery.keepsServers) {
    const because = isRegistered ? undefined : "none is registered: the inventory's servers";
    return wanted([...(isRegistered ? registered : []), ...defaults], because, skipped);
  }
  if (isRegistered) return wanted(registered, undefined, skipped);
  if (defaults.length > 0) return wanted(defaults, "none is registered: the inventory's servers", skipped);
  if ((discovery.whenEmpty ?? whenEmpty) === "serve_none") return wanted([], undefined, skipped);
  const last = kept.get(service.name);
  const isSame = last?.path === discovery.path && isDeepStrictEqual(last.labels, discovery.labels);
  const backends = isSame ? allowedOf(last.backends, policy, service.name) : [];
  if (backends.length === 0) return wanted([], undefined, skipped);
  return wanted(backends, "none is registered: the last ones are kept", skipped);
}

function wanted(
  backends: readonly Backend[],
  because: string | undefined,
  skipped: readonly Skipped[],
): WantedServers {
  const byName = new Map<string, Backend>();
  // Of two by one name the one that says less of itself counts, as in synapse-patches.rb.
  for (const backend of backends) {
    const name = serverName(backend);
    const known = byName.get(name);
    if (known === undefined || (backend.options ?? "") < (known.options ?? "")) byName.set(name, backend);
  }
  const served = [...byName].flatMap(([name, backend]) => (isDisabled(backend) ? [] : [name]));
  return { names: served.sort(), backends: byName, because, skipped };
}

/** What may be kept of backends that were written down by a Synapse of before. */
function allowedOf(backends: readonly Backend[], policy: BackendPolicy, service: string): readonly Backend[] {
  return backends.filter((backend) => refusalOf(policy, service, backend) === undefined);
}

/** A server that HAProxy would begin with: one of the file that is not in maintenance. */
export interface ServerOnDisk {
  readonly name: string;
  /** In what its line is not what the backend registered, as [found, wanted]. */
  readonly differs: readonly [found: string, want: string] | undefined;
}

/** `serverOptions` are those that the inventory asks for. Lines without them are told by the file's own row. */
export function serversOnDisk(
  config: HaproxyConfig,
  service: string,
  serverOptions: string,
  backends: WantedServers["backends"] | undefined,
): readonly ServerOnDisk[] {
  return serversOf(config, service)
    .filter(({ disabled }) => !disabled)
    .map(({ name, host, port, options }): ServerOnDisk => {
      const backend = backends?.get(name);
      if (backend === undefined) return { name, differs: undefined };
      if (host !== backend.host || port !== backend.port)
        return { name, differs: [`${host}:${port}`, `${backend.host}:${backend.port}`] };
      const found = plainOptions(options);
      const own = ownOptions(found, serverOptions);
      const want = asParsed(backend.options ?? "");
      if (own === undefined || own === want) return { name, differs: undefined };
      return { name, differs: [quoted(own), quoted(want)] };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function quoted(options: string): string {
  return options === "" ? "no options of its own" : `"${options}"`;
}

/** Options as they come back from a file. */
function asParsed(options: string): string {
  const config = parseHaproxyConfig(`backend x\nserver x 0.0.0.0:1 ${options}\n`);
  return plainOptions(serversOf(config, "x")[0]!.options);
}

/** Servers of the worker that somebody changed by hand. */
export function serversAlteredOf(
  { servers, loaded, description }: HaproxyFacts,
  config: HaproxyConfig,
  service: string,
): readonly Altered[] {
  return serversAltered(servers, startedWith(loaded, config, description), service, true);
}

interface ServerInForce {
  readonly name: string;
  readonly up: boolean;
  /** How its last health check ended, in HAProxy's words; undefined without a check. */
  readonly check: string | undefined;
}

/** Servers the running worker uses. One that its health check has marked down is still registered. */
export function serversInForce(
  haproxy: Pick<HaproxyFacts, "servers">,
  service: string,
): readonly ServerInForce[] {
  return haproxy.servers
    .filter(({ backend, status }) => backend === service && !status.startsWith("MAINT"))
    .map((server) => ({
      name: server.name,
      up: !server.status.startsWith("DOWN"),
      check: checkWords(server),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As a row shows them. */
export function showServers(names: readonly string[]): string {
  return names.length === 0 ? "no server" : names.join(", ");
}
