import type { Claims } from "../../contract/claims.ts";
import type { HostFacts, Listener } from "../../contract/host.ts";
import type { StepName } from "../../contract/names.ts";
import type { Reading } from "../../contract/reading.ts";
import { overlap, showEndpoint } from "../../evidence/endpoint.ts";
import { coversPorts, mergePortRanges } from "../../evidence/port-ranges.ts";
import { check } from "./check.ts";
import type { PreflightFacts } from "./facts.ts";

type AllClaims = ReadonlyMap<StepName, Claims>;

interface PortClaim {
  readonly step: StepName;
  readonly port: number;
  readonly address: string;
  readonly process: string;
  readonly what: string;
}

/** One row for each port that a step wants to listen on. */
export function portReadings(host: HostFacts, claims: AllClaims): readonly Reading[] {
  const wanted = [...claims].flatMap(([step, { ports = [] }]) => ports.map((port) => ({ step, ...port })));
  const rows = new Map<string, Reading>();
  for (const claim of wanted) {
    const row = portReading(claim, wanted, host.listeners);
    // Two steps may claim one port for one process; where they clash the row says so anyway.
    if (!rows.has(row.setting)) rows.set(row.setting, row);
  }
  return [...rows.values()];
}

function portReading(
  claim: PortClaim,
  wanted: readonly PortClaim[],
  listeners: readonly Listener[],
): Reading {
  const held = listeners.filter((listener) => overlap(listener, claim));
  const taken = held.find(({ process }) => process !== claim.process);
  const holder = taken?.process || "an unknown process";
  const row = {
    setting: `port ${showEndpoint(claim)}`,
    want: `free or ${claim.process}`,
    found: taken === undefined ? (held[0]?.process ?? "free") : holder,
    source: "ss -ltnp",
  };
  const rival = wanted.find((other) => other.process !== claim.process && overlap(other, claim));
  if (rival !== undefined) {
    const because = `${claim.step} (${claim.what}) and ${rival.step} (${rival.what}) both want ${showEndpoint(rival)}: give one of them another port in the inventory`;
    return check({ ...row, fine: false, because });
  }
  if (taken === undefined) return check({ ...row, fine: true });
  const clash = `${holder} listens on ${showEndpoint(taken)}, which ${claim.process} needs (${claim.what})`;
  const leftTo = claimantOf(taken, wanted, listeners);
  const remedy =
    leftTo === undefined
      ? "stop it, move it, or change the port in the inventory"
      : `the ${leftTo} step moves it`;
  return check({ ...row, fine: false, because: `${clash}: ${remedy}`, leftTo });
}

/**
 * The step whose running service holds a port it does not claim: ZooKeeper's AdminServer takes *:8080 until the
 * zookeeper step turns it off. It is that service only if it also listens where the step wants it to.
 */
function claimantOf(
  taken: Listener,
  wanted: readonly PortClaim[],
  listeners: readonly Listener[],
): StepName | undefined {
  if (taken.process === "") return undefined;
  return wanted.find(
    (claim) =>
      claim.process === taken.process &&
      listeners.some((listener) => listener.process === taken.process && overlap(listener, claim)),
  )?.step;
}

/** Outgoing connections take ports of the local range: a service that restarts may find its own one taken. */
export function localPortRangeReading(facts: PreflightFacts, claims: AllClaims): Reading {
  const ports = [...claims.values()].flatMap((claim) => claim.ports ?? []).map(({ port }) => port);
  const { first, last } = facts.localPortRange;
  const exposed = [...new Set(ports)]
    .filter((port) => first <= port && port <= last)
    .filter((port) => !coversPorts(mergePortRanges(facts.reservedPorts), [{ first: port, last: port }]))
    .sort((a, b) => a - b);
  const leftTo = claims.has("sysctl") ? "sysctl" : undefined;
  const remedy = leftTo === undefined ? "add the sysctl step to the playbook, it" : "the sysctl step";
  return check({
    setting: "local port range",
    want: "the mesh's ports outside or reserved",
    found: exposed.length === 0 ? `${first}-${last}` : `${first}-${last} with ${exposed.join(", ")}`,
    source: "/proc/sys/net/ipv4/ip_local_port_range",
    fine: exposed.length === 0,
    because: `outgoing connections may take ${exposed.join(", ")} of ${first}-${last} before the mesh does: ${remedy} reserves them`,
    leftTo: exposed.length === 0 ? undefined : leftTo,
  });
}
