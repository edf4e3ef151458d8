import type { HostView, InventoryView } from "../../contract/inventory-view.ts";
import { hasWatcher } from "../../contract/mesh.ts";
import { type BackendPolicy, backendPolicy } from "../../haproxy/backend-policy.ts";
import type { HaproxyParameters } from "../../haproxy/parameters.ts";
import { type HaproxySettings, haproxySettings } from "../../haproxy/settings.ts";

export interface HaproxyDesired {
  readonly parameters: HaproxyParameters;
  readonly settings: HaproxySettings;
  /** What backends may say of themselves. */
  readonly policy: BackendPolicy;
  /** Whether the watcher writes haproxy.cfg on this host. Then this step never does. */
  readonly watched: boolean;
}

export function haproxyDesired(
  parameters: HaproxyParameters,
  host: HostView,
  { mesh }: InventoryView,
): HaproxyDesired {
  const settings = haproxySettings(parameters, mesh);
  return {
    parameters,
    settings,
    policy: backendPolicy(mesh, settings),
    watched: hasWatcher(mesh) && mesh.proxies.includes(host.name),
  };
}
