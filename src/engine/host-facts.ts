import { fieldOf, requiredFieldOf, rowsOf } from "../evidence/probe-output.ts";
import { socketOf } from "../evidence/sockets.ts";
import { type HostFacts, ProbeNotUnderstood, type ProbeOutput } from "../step.ts";

/** When the prologue was sent, and when its first byte came back. */
export interface RoundTrip {
  readonly sentAtMs: number;
  readonly firstByteAtMs: number;
}

/**
 * A round trip as this machine's clock shows it. Durations go by performance.now(), which no step of the clock moves;
 * a host's clock can only be compared with the one that people set.
 */
export function byThisClock({ sentAtMs, firstByteAtMs }: RoundTrip): RoundTrip {
  const clockAheadMs = Date.now() - performance.now();
  return { sentAtMs: sentAtMs + clockAheadMs, firstByteAtMs: firstByteAtMs + clockAheadMs };
}

/** Makes HostFacts of what prologue.sh printed and the round trip by this machine's clock. Throws ProbeNotUnderstood when a record is missing or the clock is no time. */
export function hostFactsOf(output: ProbeOutput, roundTrip: RoundTrip): HostFacts {
  const [id, versionId, codename, prettyName] = rowsOf(output, "os")[0] ?? [];
  const totalBytes = Number(requiredFieldOf(output, "memory_kib")) * 1024;
  const limits = rowsOf(output, "memory_limit")
    .map(([limit]) => Number(limit))
    .filter((limit) => Number.isFinite(limit) && limit > 0);
  const hostClockMs = Number(requiredFieldOf(output, "clock")) * 1000;
  if (!Number.isFinite(hostClockMs)) throw new ProbeNotUnderstood("date +%s.%N printed no time");
  const middleMs = (roundTrip.sentAtMs + roundTrip.firstByteAtMs) / 2;
  const hard = requiredFieldOf(output, "hard_open_files");
  return {
    os: { id: id ?? "", versionId: versionId ?? "", codename: codename ?? "", prettyName: prettyName ?? "" },
    kernel: requiredFieldOf(output, "kernel"),
    architecture: requiredFieldOf(output, "architecture"),
    virtualization: fieldOf(output, "virtualization") ?? "",
    cpus: Number(requiredFieldOf(output, "cpus")),
    memoryBytes: Math.min(totalBytes, ...limits),
    bootId: requiredFieldOf(output, "boot_id"),
    uptimeSeconds: Number(requiredFieldOf(output, "uptime")),
    clock: {
      skewMs: Math.round(hostClockMs - middleMs),
      uncertaintyMs: Math.ceil((roundTrip.firstByteAtMs - roundTrip.sentAtMs) / 2),
    },
    hardOpenFiles: hard === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(hard),
    addresses: rowsOf(output, "address").map(([address]) => address!),
    listeners: rowsOf(output, "listener").map(([local, process]) => ({
      ...socketOf(local!),
      process: process ?? "",
    })),
    manifest: new Map(rowsOf(output, "manifest").map(([digest, path]) => [path!, digest!])),
    packages: new Map(
      rowsOf(output, "package")
        .filter(([, status]) => status?.startsWith("ii") || status?.startsWith("hi"))
        .map(([name, , version]) => [name!.split(":", 1)[0]!, version ?? ""]),
    ),
  };
}
