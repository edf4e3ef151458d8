import { namedList } from "../named-list.ts";
import { showBytes } from "../quantity-text.ts";
import { type LookedHost, type Seen, seenOf } from "./looked-host.ts";

/** What was found, a line for each kind of host; equal ones together. */
export function findings(hosts: readonly LookedHost[]): readonly string[] {
  const alike = new Map<string, string[]>();
  for (const host of hosts) {
    const text = findingOf(host);
    alike.set(text, [...(alike.get(text) ?? []), host.name]);
  }
  return [...alike].map(([text, names]) => `${namedList(names, 4)}: ${text}`);
}

export function findingOf(host: LookedHost): string {
  if (host.seen === undefined) return "not looked at";
  const seen = seenOf(host);
  return seen === undefined ? `not looked at: ${(host.seen as { because: string }).because}` : seenText(seen);
}

function seenText(seen: Seen): string {
  const installed = [
    seen.database,
    ...(seen.haproxy ? ["HAProxy"] : []),
    ...(seen.zookeeper ? ["ZooKeeper"] : []),
  ].filter((name) => name !== undefined);
  const flush =
    "ms" in seen.flush
      ? `a flush takes ${milliseconds(seen.flush.ms)}`
      : `disk unknown (${seen.flush.because})`;
  const ports = portsText(seen);
  return [
    `${seen.system}${seen.supported === true ? "" : " (not supported)"}`,
    machineText(seen.virtualization),
    `${seen.cpus} ${seen.cpus === 1 ? "CPU" : "CPUs"}`,
    showMemory(seen.memoryBytes),
    flush,
    ...(installed.length === 0 ? [] : [`has ${installed.join(", ")}`]),
    ports === "" ? "no port in use" : `ports in use: ${ports}`,
  ].join(", ");
}

function machineText(kind: string): string {
  if (kind === "kvm") return "KVM";
  if (kind === "none") return "no virtual machine";
  return kind === "" ? "machine unknown" : `${kind} (not KVM)`;
}

function showMemory(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : showBytes(bytes - (bytes % 2 ** 20));
}

function milliseconds(ms: number): string {
  return ms < 1 ? "under 1 ms" : `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
}

/** Ports with who has them, lowest first, the daemons' well-known ones by number alone. */
function portsText({ listeners }: Seen): string {
  const byPort = new Map<number, string>();
  for (const { port, process } of listeners) if (!byPort.get(port)) byPort.set(port, process);
  const all = [...byPort]
    .sort(([a], [b]) => a - b)
    .map(([port, name]) => (name ? `${port} ${name}` : `${port}`));
  return namedList(all, 6);
}
