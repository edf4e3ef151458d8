import { ensembleStatus } from "./ensemble.ts";
import type { MeshStatus } from "./mesh-status.ts";
import type { MeshView } from "./mesh-view.ts";
import { problemsOf } from "./problems.ts";
import { proxiesStatus } from "./proxies.ts";
import { servicesStatus } from "./services.ts";

/** What one look says of the mesh. Pure. */
export function statusOf(view: MeshView): MeshStatus {
  const ensemble = ensembleStatus(view);
  const services = servicesStatus(view);
  return {
    problems: problemsOf(view, ensemble, services),
    ensemble,
    services,
    proxies: proxiesStatus(view, services),
  };
}
