import type { HostName } from "../contract/inventory-view.ts";
import { exitCodeOf } from "../engine/exit-code.ts";
import { type Observation, observe } from "../engine/observe.ts";
import { readerOf } from "../engine/readers.ts";
import { isAway } from "../errors.ts";
import { matchHosts } from "../inventory/pattern.ts";
import { withLastRun } from "./last-run.ts";
import { loadInventory } from "./load.ts";
import { onHosts } from "./on-hosts.ts";
import type { InventoryOptions } from "./options.ts";
import { shownData, shownText } from "./shown.ts";
import { tableOf } from "./ui/columns.ts";

export type FactsFlags = InventoryOptions & { readonly parallel: number };

/** Looks at hosts and shows what they are. Returns the exit code. Throws ConfigurationError. */
export async function factsCommand(pattern: string, flags: FactsFlags): Promise<number> {
  const inventory = await loadInventory(flags);
  const hosts = matchHosts(withLastRun(pattern), inventory);
  const results = await onHosts(inventory, hosts, flags, (remote) => observe(readerOf(remote), []));
  const all = results.map(({ host, result }) => ({ host, observation: result }));
  if (flags.json) process.stdout.write(`${JSON.stringify(shownData(all.map(factsOf)))}\n`);
  else process.stdout.write(`${shownFacts(all)}\n`);
  return exitCodeOf(
    all.map(({ observation }) => {
      if (observation.is === "seen") return { is: "as wanted" };
      return { is: isAway(observation.error) ? "unreachable" : "failed" };
    }),
  );
}

interface Looked {
  readonly host: HostName;
  readonly observation: Observation;
}

function factsOf({ host, observation }: Looked): Record<string, unknown> {
  if (observation.is === "unseen") return { host, because: observation.error.message };
  const { os, clock, manifest, packages, lockedBy, ...facts } = observation.host;
  return {
    host,
    os: { id: os.id, version_id: os.versionId, codename: os.codename, pretty_name: os.prettyName },
    kernel: facts.kernel,
    architecture: facts.architecture,
    virtualization: facts.virtualization,
    cpus: facts.cpus,
    memory_bytes: facts.memoryBytes,
    boot_id: facts.bootId,
    uptime_seconds: facts.uptimeSeconds,
    clock: { skew_ms: clock.skewMs, uncertainty_ms: clock.uncertaintyMs },
    hard_open_files: facts.hardOpenFiles,
    addresses: facts.addresses,
    listeners: facts.listeners.map(({ address, port, process: name }) => ({ address, port, process: name })),
    files_of_meshctl: Object.fromEntries(manifest),
    packages: Object.fromEntries(packages),
    ...(lockedBy?.is === "value" ? { locked_by: lockedBy.value } : {}),
  };
}

function shownFacts(all: readonly Looked[]): string {
  const rows: string[][] = [];
  const unseen: string[] = [];
  for (const { host, observation } of all) {
    if (observation.is === "unseen") {
      unseen.push(`${host}: ${observation.error.message}`);
      continue;
    }
    const { os, kernel, virtualization, architecture, cpus, memoryBytes, uptimeSeconds, clock } =
      observation.host;
    const machine = [virtualization, architecture].filter(Boolean).join(" ");
    const memory = `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
    const skew = `${clock.skewMs > 0 ? "+" : ""}${clock.skewMs} ms ± ${clock.uncertaintyMs}`;
    rows.push([host, os.prettyName, kernel, machine, `${cpus}`, memory, upFor(uptimeSeconds), skew]);
  }
  const head = ["host", "system", "kernel", "machine", "cpus", "memory", "up", "clock"];
  const table = rows.length > 0 ? tableOf(shownData([head, ...rows]), process.stdout.columns) : "";
  return [table, ...unseen.map(shownText)].filter(Boolean).join("\n");
}

function upFor(seconds: number): string {
  const hours = seconds / 3600;
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours >= 2 ? `${Math.floor(hours)} h` : `${Math.floor(seconds / 60)} min`;
}
