import type { HostView, InventoryView } from "../../contract/inventory-view.ts";
import { isFollowed, type Service } from "../../contract/mesh.ts";
import { type BackendPolicy, backendPolicy } from "../../haproxy/backend-policy.ts";
import { type HaproxyParameters, haproxyParameters } from "../../haproxy/parameters.ts";
import { type HaproxySettings, haproxySettings } from "../../haproxy/settings.ts";
import type { GemSource } from "../../smartstack/build.ts";
import { gemSource } from "../../smartstack/gem-parameters.ts";
import type { WatcherParameters } from "./parameters.ts";

export interface WatcherDesired {
  readonly whenEmpty: WatcherParameters["when_empty"];
  /** Units of a Synapse of before. */
  readonly replaces: readonly string[];
  readonly gemSource: GemSource;
  /** ADDRESS:PORT of every member of the ensemble. */
  readonly members: readonly string[];
  readonly clientPort: number;
  readonly services: readonly Service[];
  /** What haproxy.cfg must mean, whoever writes it. */
  readonly settings: HaproxySettings;
  /** What backends may say of themselves. */
  readonly policy: BackendPolicy;
  /** Whether a foreign haproxy.cfg may be replaced: the haproxy step's `adopt`. */
  readonly adopt: boolean;
}

/** Whether there is nothing to follow, in ZooKeeper or in DNS. Then haproxy.cfg is the haproxy step's to write. */
export function isUnneeded({ services }: WatcherDesired): boolean {
  return !services.some(isFollowed);
}

export function watcherDesired(
  parameters: WatcherParameters,
  host: HostView,
  inventory: InventoryView,
): WatcherDesired {
  const { mesh } = inventory;
  const haproxy = (host.parameters.get("haproxy") ?? haproxyParameters.parse({})) as HaproxyParameters;
  const settings = haproxySettings(haproxy, mesh);
  return {
    whenEmpty: parameters.when_empty,
    replaces: parameters.replaces,
    gemSource: gemSource(parameters, inventory),
    members: mesh.ensemble.map(({ address }) => `${address}:${mesh.zookeeper.clientPort}`),
    clientPort: mesh.zookeeper.clientPort,
    services: mesh.services,
    settings,
    policy: backendPolicy(mesh, settings),
    adopt: haproxy.adopt,
  };
}
