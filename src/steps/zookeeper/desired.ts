import type { HostName, HostView, InventoryView } from "../../contract/inventory-view.ts";
import type { Mesh } from "../../contract/mesh.ts";
import type { ZookeeperParameters } from "./parameters.ts";

interface Member {
  readonly host: HostName;
  readonly address: string;
  /** As the inventory states it. */
  readonly id: number | undefined;
}

export interface ZookeeperDesired {
  readonly address: string;
  readonly ports: Mesh["zookeeper"];
  /** Every member of the ensemble, this host among them, in inventory order. */
  readonly members: readonly Member[];
  readonly heapBytes: number;
  readonly dataDir: string;
  readonly tickTimeMs: number;
  readonly initLimit: number;
  readonly syncLimit: number;
  readonly autopurgeKeep: number;
  readonly adopt: boolean;
}

export function desired(
  parameters: ZookeeperParameters,
  host: HostView,
  { mesh }: InventoryView,
): ZookeeperDesired {
  return {
    address: host.address,
    ports: mesh.zookeeper,
    members: mesh.ensemble,
    heapBytes: parameters.heap,
    dataDir: parameters.data_dir,
    tickTimeMs: parameters.tick_time,
    initLimit: parameters.init_limit,
    syncLimit: parameters.sync_limit,
    autopurgeKeep: parameters.autopurge_keep,
    adopt: parameters.adopt,
  };
}

export function problems(parameters: ZookeeperParameters, host: HostView, { mesh }: InventoryView) {
  const member = mesh.ensemble.find((each) => each.host === host.name);
  if (member === undefined) {
    return [{ path: [], message: `'${host.name}' is not in mesh.ensemble: members are named there` }];
  }
  if (parameters.id !== undefined && parameters.id !== member.id) {
    return [{ path: ["id"], message: "an id belongs to one member: state it at the host, in the inventory" }];
  }
  return [];
}
