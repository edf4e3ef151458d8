import type { HostView, InventoryView, Network } from "../../inventory/view.ts";
import { type HaproxyParameters, haproxyParameters } from "../../mesh/haproxy-parameters.ts";
import { type HaproxySettings, haproxySettings } from "../../mesh/haproxy-settings.ts";
import type { Service } from "../../mesh/mesh.ts";
import type { WatcherParameters } from "./parameters.ts";

export interface WatcherDesired {
  readonly whenEmpty: WatcherParameters["when_empty"];
  readonly buildHost: string | undefined;
  /** ADDRESS:PORT of every member of the ensemble. */
  readonly members: readonly string[];
  readonly clientPort: number;
  readonly services: readonly Service[];
  /** What haproxy.cfg must mean, whoever writes it. */
  readonly settings: HaproxySettings;
  /** Whether a foreign haproxy.cfg may be replaced: the haproxy step's `adopt`. */
  readonly adopt: boolean;
  readonly network: Network;
}

export function watcherDesired(
  parameters: WatcherParameters,
  host: HostView,
  inventory: InventoryView,
): WatcherDesired {
  const { mesh, network } = inventory;
  const haproxy = (host.parameters.get("haproxy") ?? haproxyParameters.parse({})) as HaproxyParameters;
  return {
    whenEmpty: parameters.when_empty,
    buildHost: parameters.build_host,
    members: mesh.ensemble.map(({ address }) => `${address}:${mesh.zookeeper.clientPort}`),
    clientPort: mesh.zookeeper.clientPort,
    services: mesh.services,
    settings: haproxySettings(haproxy, mesh),
    adopt: haproxy.adopt,
    network,
  };
}
