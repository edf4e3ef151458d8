import type { HostName } from "../contract/inventory-view.ts";
import { isFollowed, namesOf, pathOf, type Service } from "../contract/mesh.ts";
import { parseHaproxyConfig } from "../haproxy/config.ts";
import {
  type Skipped,
  serversAlteredOf,
  type WantedServers,
  wantedServers,
} from "../steps/watcher/backend-sets.ts";
import type { WatcherFacts } from "../steps/watcher/facts.ts";
import { HAPROXY_CONFIG } from "../steps/watcher/paths.ts";
import type { BackendStatus, ServerState, ServiceStatus } from "./mesh-status.ts";
import type { MeshView } from "./mesh-view.ts";

/** What is registered, and what every reported proxy makes of it. */
export function servicesStatus(view: MeshView): readonly ServiceStatus[] {
  return view.mesh.services.map((service) => serviceStatus(service, view));
}

function serviceStatus(service: Service, { watcher, isReported }: MeshView): ServiceStatus {
  const backends = new Map<string, { origin: BackendStatus["origin"]; on: Map<HostName, ServerState> }>();
  const registered = new Set<string>();
  const skipped = new Map<string, Skipped>();
  let isRead = false;
  for (const [host, member] of watcher) {
    if (member.is === "unseen") continue;
    const wanted = wantedServers(service, member.desired, member.facts);
    const origin = originOf(service, wanted);
    if (isFollowed(service) && wanted !== undefined) {
      isRead = isRead || pathOf(service) !== undefined;
      for (const each of wanted.skipped) skipped.set(each.node, each);
      if (origin === "registered") for (const name of wanted.names) registered.add(name);
    }
    if (!isReported(host)) continue;
    for (const [name, state] of serversOn(service, wanted, member.facts)) {
      const own = wanted === undefined || wanted.names.includes(name) ? origin : "none";
      const known = backends.get(name);
      // One proxy may have read a moment later than another: who knows it wins.
      const isBetter = known === undefined || known.origin === "none" || known.origin === "unknown";
      backends.set(name, {
        origin: isBetter ? own : known.origin,
        on: (known?.on ?? new Map<HostName, ServerState>()).set(host, state),
      });
    }
  }
  return {
    name: service.name,
    front: `${service.bind}:${service.port}`,
    path: pathOf(service),
    names: service.discovery.by === "dns" ? namesOf(service.discovery) : undefined,
    registered: isRead ? registered.size : undefined,
    skipped: [...skipped.keys()],
    leftOut: [...skipped.values()],
    backends: [...backends]
      .map(([name, backend]) => ({ name, ...backend }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function originOf(service: Service, wanted: WantedServers | undefined): BackendStatus["origin"] {
  if (!isFollowed(service)) return "inventory";
  if (wanted === undefined) return "unknown";
  if (service.discovery.by === "dns") return "dns";
  // Set when Synapse serves something else than what is registered.
  if (wanted.because === undefined) return "registered";
  return service.servers.length > 0 ? "inventory" : "kept";
}

/** State of every server that the proxy has or should have; those that left and are in maintenance are nobody's. */
function serversOn(
  service: Service,
  wanted: WantedServers | undefined,
  { haproxy, files }: WatcherFacts,
): ReadonlyMap<string, ServerState> {
  const states = new Map<string, ServerState>();
  if ("unreachable" in haproxy) return states;
  const config = parseHaproxyConfig(files.get(HAPROXY_CONFIG)?.content ?? "");
  const altered = serversAlteredOf(haproxy, config, service.name).map(({ name }) => name);
  for (const { backend, name, status } of haproxy.servers) {
    if (backend !== service.name || status.startsWith("MAINT")) continue;
    if (wanted !== undefined && !wanted.names.includes(name)) states.set(name, "stale");
    else if (altered.includes(name)) states.set(name, "altered");
    else if (status.startsWith("DRAIN")) states.set(name, "weightless");
    else states.set(name, status.startsWith("DOWN") ? "down" : "up");
  }
  for (const name of wanted?.names ?? []) if (!states.has(name)) states.set(name, "missing");
  return states;
}
