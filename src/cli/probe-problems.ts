import type { ServiceProbe } from "../canary/prove-service.ts";
import type { MeshStatus } from "../status/mesh-status.ts";

/** What the layers of the proxies that do not follow say, and what is wrong with the mesh as a whole. */
export function problemsOn(
  { problems }: MeshStatus,
  probes: readonly ServiceProbe[],
): MeshStatus["problems"] {
  const late = probes.flatMap(({ proxies }) =>
    proxies.filter(({ because }) => because !== undefined).map(({ host }) => host),
  );
  const probed = probes.map(({ service }) => service);
  return problems.filter(
    ({ hosts, service }) =>
      (service === undefined || probed.length === 0 || probed.includes(service)) &&
      (late.length === 0 || hosts.length === 0 || hosts.some((host) => late.includes(host))),
  );
}
