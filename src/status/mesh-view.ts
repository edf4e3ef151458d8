import type { HostName, InventoryView } from "../contract/inventory-view.ts";
import type { Mesh } from "../contract/mesh.ts";
import type { StepName } from "../contract/names.ts";
import type { Evidence } from "../contract/reading.ts";
import type { Fleet } from "../contract/step.ts";
import type { FleetView } from "../engine/fleet.ts";
import type { HaproxyDesired } from "../steps/haproxy/desired.ts";
import type { HaproxyFacts } from "../steps/haproxy/facts.ts";
import { haproxy } from "../steps/haproxy/index.ts";
import type { RegistrarDesired } from "../steps/registrar/desired.ts";
import type { RegistrarFacts } from "../steps/registrar/facts.ts";
import { registrar } from "../steps/registrar/index.ts";
import type { WatcherDesired } from "../steps/watcher/desired.ts";
import type { WatcherFacts } from "../steps/watcher/facts.ts";
import { watcher } from "../steps/watcher/index.ts";
import type { ZookeeperDesired } from "../steps/zookeeper/desired.ts";
import type { ZookeeperFacts } from "../steps/zookeeper/facts.ts";
import { zookeeper } from "../steps/zookeeper/index.ts";

/** One look at the mesh: what the steps' probes read, and what the steps make of it. */
export interface MeshView {
  readonly mesh: Mesh;
  readonly zookeeper: Fleet<ZookeeperDesired, ZookeeperFacts>;
  readonly haproxy: Fleet<HaproxyDesired, HaproxyFacts>;
  readonly watcher: Fleet<WatcherDesired, WatcherFacts>;
  readonly registrar: Fleet<RegistrarDesired, RegistrarFacts>;
  /** Hosts that could not be looked at, and why. */
  readonly unseen: ReadonlyMap<HostName, string>;
  /** Rows of every step looked at, on the hosts that were seen and are reported on. */
  readonly evidence: readonly {
    readonly host: HostName;
    readonly step: StepName;
    readonly evidence: Evidence;
  }[];
  /** Mesh address → host. */
  readonly hostOf: ReadonlyMap<string, HostName>;
  /** Hosts within `--limit`. */
  readonly isReported: (host: HostName) => boolean;
}

/** Steps that make the mesh; a host's own settings are `verify`'s. */
const MESH_STEPS: readonly StepName[] = [zookeeper.name, haproxy.name, watcher.name, registrar.name];

export function isOfMesh(step: StepName): boolean {
  return MESH_STEPS.includes(step);
}

/** What a fleet that was looked at tells of the mesh. */
export function meshView(
  fleet: FleetView,
  { mesh, hosts }: InventoryView,
  isReported: (host: HostName) => boolean,
): MeshView {
  const order = fleet.order.filter(({ step }) => isOfMesh(step.name));
  const observed = fleet.hosts.filter((host) => order.some((each) => each.hosts.includes(host)));
  const unseen = observed.flatMap((host): [HostName, string][] => {
    const observation = fleet.observation(host);
    return observation?.is === "seen" ? [] : [[host, observation?.error.message ?? "it was not looked at"]];
  });
  const evidence = observed
    .filter((host) => isReported(host) && fleet.observation(host)?.is === "seen")
    .flatMap((host) =>
      order
        .filter((each) => each.hosts.includes(host))
        .flatMap(({ step }) =>
          fleet.assess(step, host).evidence.map((row) => ({ host, step: step.name, evidence: row })),
        ),
    );
  return {
    mesh,
    zookeeper: fleet.fleetOf(zookeeper),
    haproxy: fleet.fleetOf(haproxy),
    watcher: fleet.fleetOf(watcher),
    registrar: fleet.fleetOf(registrar),
    unseen: new Map(unseen),
    evidence,
    hostOf: new Map([...hosts.values()].map(({ name, address }) => [address, name])),
    isReported,
  };
}
