import type { HostName, HostView, InventoryView } from "../../contract/inventory-view.ts";
import type { Mesh } from "../../contract/mesh.ts";
import { isBelow } from "../../daemon/place.ts";
import type { ZookeeperParameters } from "./parameters.ts";

interface Member {
  readonly host: HostName;
  readonly address: string;
  /** As the inventory states it. */
  readonly id: number | undefined;
}

export interface ZookeeperDesired {
  readonly address: string;
  readonly ports: Omit<Mesh["zookeeper"], "auth">;
  /** Every member of the ensemble, this host among them, in inventory order. */
  readonly members: readonly Member[];
  readonly heapBytes: number;
  readonly dataDir: string;
  /** Where the transaction log is kept; undefined where it lies beside the snapshots in `dataDir`. */
  readonly dataLogDir: string | undefined;
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
  const { auth: _, ...ports } = mesh.zookeeper;
  return {
    address: host.address,
    ports,
    members: mesh.ensemble,
    heapBytes: parameters.heap,
    dataDir: parameters.data_dir,
    dataLogDir: parameters.data_log_dir,
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
  const { data_dir, data_log_dir } = parameters;
  if (data_log_dir !== undefined && isMixed(data_log_dir, data_dir)) {
    return [
      {
        path: ["data_log_dir"],
        message: `a directory of its own, not data_dir (${data_dir}) and not within version-2; leave it away to keep the log there`,
      },
    ];
  }
  return [];
}

/** Logs among snapshots keep ZooKeeper from its start. */
function isMixed(log: string, data: string): boolean {
  return log === data || isBelow(log, `${data}/version-2`) || isBelow(data, `${log}/version-2`);
}
