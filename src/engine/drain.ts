import type { HostName } from "../contract/inventory-view.ts";
import type { Drain, Mark, VitalServer } from "../contract/step.ts";
import type { FleetView } from "./fleet.ts";
import type { MeshHealth } from "./gate.ts";

/** Whether a host's backends leave the mesh while what they need is away. */
export type Drainable =
  | { readonly is: "drained"; readonly drain: Drain; readonly own: ReadonlySet<string> }
  /** No proxy sends the host a request. */
  | { readonly is: "none" }
  | { readonly is: "kept"; readonly because: string }
  /** Not enough was looked at: a plan may not have, and the change does so first. */
  | { readonly is: "unread"; readonly because: string };

/** Who serves what, as proxies tell it. */
interface Serving {
  /** Servers that a proxy sends requests to: the names of their vitals. */
  readonly served: ReadonlyMap<string, VitalServer>;
  /** Those of them that a proxy has no other host's server beside. */
  readonly alone: ReadonlySet<string>;
}

/** How each host's backends would leave the mesh, by what these hosts told of it last. Pure. */
export function drainables(
  fleet: FleetView,
  tellers: readonly HostName[] = fleet.hosts,
): (host: HostName) => Drainable {
  const serving = servingIn(new Map(tellers.map((host) => [host, fleet.vitals(host)])));
  const { marks } = fleet;
  return (host) => drainable(serving, ownOf(marks.get(host)), fleet.address(host), () => fleet.drain(host));
}

const NO_PROXY =
  "no proxy that is looked at has a server that serves (with --steps or -l fewer are looked at)";

/** Whether one host's would, where its own servers are called so. Pure. */
export function drainable(
  { served, alone }: Serving,
  own: ReadonlySet<string>,
  address: string | undefined,
  drainOf: () => ReturnType<FleetView["drain"]>,
): Drainable {
  const here = [...served].filter(([name, server]) => own.has(name) || server.address === address);
  if (here.length === 0) {
    const isBlind = served.size === 0 && drainOf() !== undefined;
    return isBlind ? { is: "unread", because: NO_PROXY } : { is: "none" };
  }
  const mine = here.filter(([name]) => own.has(name));
  if (mine.length === 0)
    return { is: "kept", because: `the registrar has not put ${servicesOf(here)} into the mesh` };
  const lone = mine.filter(([name]) => alone.has(name));
  if (lone.length > 0) return { is: "kept", because: `no other host serves ${servicesOf(lone)}` };
  const drain = drainOf();
  if (drain === undefined) return { is: "kept", because: "the registrar does not run" };
  if ("unread" in drain) return { is: "unread", because: drain.unread };
  return { is: "drained", drain, own };
}

/** What a plan says of it; undefined where there is nothing to say. */
export function drainWords(found: Drainable): string | undefined {
  switch (found.is) {
    case "drained":
      return "the host's backends leave the mesh before, and come back after";
    case "kept":
      return `the host's backends stay in the mesh, and their clients may notice: ${found.because}`;
    case "unread":
      return `the backends of the host may leave the mesh first; that shows when it is changed: ${found.because}`;
    case "none":
      return undefined;
  }
}

export function servingIn(health: MeshHealth): Serving {
  const served = new Map<string, VitalServer>();
  const alone = new Set<string>();
  for (const steps of health.values()) {
    const byService = new Map<string, Map<string, VitalServer>>();
    for (const vitals of steps.values()) {
      if (vitals.is !== "read") continue;
      for (const [what, vital] of vitals.of) {
        if (vital.is !== "well" || vital.server === undefined) continue;
        const { server } = vital;
        if (server.isSpared === true) continue;
        const ofService = byService.get(server.service) ?? new Map<string, VitalServer>();
        byService.set(server.service, ofService.set(server.further?.of ?? what, server));
      }
    }
    for (const servers of byService.values()) {
      for (const [name, server] of servers) served.set(name, server);
      if (servers.size === 1) for (const name of servers.keys()) alone.add(name);
    }
  }
  return { served, alone };
}

function ownOf(marks: ReadonlyMap<string, Mark> = new Map()): ReadonlySet<string> {
  return new Set([...marks].flatMap(([name, mark]) => (mark.is === "own" ? [name] : [])));
}

function servicesOf(servers: readonly (readonly [string, VitalServer])[]): string {
  return [...new Set(servers.map(([, { service }]) => service))].join(", ");
}
