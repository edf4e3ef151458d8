import type { Claims } from "../../contract/claims.ts";
import type { HostFacts } from "../../contract/host.ts";
import type { StepName } from "../../contract/names.ts";
import type { Reading } from "../../contract/reading.ts";
import { maxconnWithin, openFilesNeeded } from "../../haproxy/open-files.ts";
import { check } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";
import { showBytes } from "./size.ts";

type AllClaims = ReadonlyMap<StepName, Claims>;

/** All memory that the steps claim, and a reserve, must be there at once. */
export function memoryReading(desired: PreflightDesired, host: HostFacts, claims: AllClaims): Reading {
  const claimed = [...claims.values()].flatMap(({ memory = [] }) => memory);
  const parts = [...claimed, { bytes: desired.memoryReserveBytes, what: "reserve" }];
  const neededBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const sum = parts.map(({ bytes, what }) => `${showBytes(bytes)} ${what}`).join(" + ");
  return check({
    setting: "memory",
    want: `at least ${showBytes(neededBytes)}`,
    found: showBytes(host.memoryBytes),
    source: "head -n 1 /proc/meminfo /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes",
    fine: neededBytes <= host.memoryBytes,
    because: `${sum} is more than the ${showBytes(host.memoryBytes)} here: lower one of them or use a larger host`,
  });
}

/** Without claims there is nothing to compare the limit with. */
export function openFilesReadings(
  desired: PreflightDesired,
  host: HostFacts,
  claims: AllClaims,
): readonly Reading[] {
  const [most] = [...claims.values()]
    .flatMap(({ openFiles = [] }) => openFiles)
    .sort((a, b) => b.count - a.count);
  if (most === undefined) return [];
  const raise = "raise the hard limit of PID 1 (fs.nr_open, or the container's limit)";
  const maxconn = fittingMaxconn(desired.maxconn, most.count, host);
  return [
    check({
      setting: "open files",
      want: `at least ${most.count}`,
      found: `${host.hardOpenFiles}`,
      source: "/proc/1/limits",
      fine: most.count <= host.hardOpenFiles,
      because: `${most.what} needs ${most.count} open files and the host allows ${host.hardOpenFiles}: ${maxconn === undefined ? raise : `lower haproxy.maxconn to ${maxconn} or ${raise}`}`,
    }),
  ];
}

/** What maxconn may be under the host's limit, when the claim is HAProxy's. */
function fittingMaxconn(maxconn: number | undefined, count: number, host: HostFacts): number | undefined {
  if (maxconn === undefined || count !== openFilesNeeded(maxconn, host.cpus)) return undefined;
  return maxconnWithin(host.hardOpenFiles, host.cpus) || undefined;
}
