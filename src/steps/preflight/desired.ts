import * as z from "zod";
import type { HostName, HostView, InventoryView } from "../../contract/inventory-view.ts";
import { countryCode } from "../../inventory/country.ts";
import { byteSize, durationMs } from "../../quantities.ts";

export const preflightParameters = z.strictObject({
  virtualization: z
    .array(
      z.string().regex(/^[a-z][a-z0-9-]*$/, { error: `expected a name as systemd-detect-virt prints it` }),
    )
    .min(1)
    .default(["kvm", "none"])
    .describe("kinds of machine to accept, as systemd-detect-virt names them; none is bare metal"),
  clock_skew_max: durationMs.prefault("500ms").describe("how far a host's clock may be from the others'"),
  memory_reserve: byteSize.prefault("256M").describe("memory left to the system beside what the steps claim"),
  disk_free_min: byteSize
    .prefault("512M")
    .describe("free space wanted under /usr, /var, /opt and where the data is"),
  flush_latency_max: durationMs
    .prefault("50ms")
    .describe("how long a flush of the disk may take that a member of the ensemble has its data on"),
  round_trip_max: durationMs
    .prefault("50ms")
    .describe(
      "how long the way to a member of the ensemble and back may take, from the others and from proxies",
    ),
  countries: z
    .array(countryCode)
    .min(1)
    .optional()
    .describe("where the host may stand for the data it holds, for example [DE, FR]; anywhere unless given"),
});

export type PreflightParameters = z.output<typeof preflightParameters>;

export interface PreflightDesired {
  readonly countries: readonly string[] | undefined;
  readonly country: HostView["country"];
  readonly inventoryFile: string;
  readonly address: string;
  readonly allowOs: readonly string[];
  readonly virtualization: readonly string[];
  readonly clockSkewMaxMs: number;
  readonly memoryReserveBytes: number;
  readonly diskFreeMinBytes: number;
  /** haproxy.maxconn, to say how low it must be where the limit of open files is too low. */
  readonly maxconn: number | undefined;
  readonly flushLatencyMaxMs: number;
  readonly roundTripMaxMs: number;
  readonly ensembleSize: number;
  /** Set when the host is a member of the ensemble. */
  readonly member: { readonly dataDir: string; readonly logDir: string } | undefined;
  /** The members, without this host, that it must reach soon; none unless it is a member or a proxy. */
  readonly members: readonly { readonly host: HostName; readonly address: string }[];
  readonly clientPort: number;
  /** Hosts beside this one that the mesh spans. */
  readonly others: readonly HostName[];
}

export function preflightDesired(
  parameters: PreflightParameters,
  host: HostView,
  { file, mesh, allowOs }: InventoryView,
): PreflightDesired {
  const members = mesh.ensemble.map((member) => member.host);
  const isMember = members.includes(host.name);
  return {
    countries: parameters.countries,
    country: host.country,
    inventoryFile: file,
    address: host.address,
    allowOs,
    virtualization: parameters.virtualization,
    clockSkewMaxMs: parameters.clock_skew_max,
    memoryReserveBytes: parameters.memory_reserve,
    diskFreeMinBytes: parameters.disk_free_min,
    maxconn: maxconnOf(host.parameters.get("haproxy")),
    flushLatencyMaxMs: parameters.flush_latency_max,
    roundTripMaxMs: parameters.round_trip_max,
    ensembleSize: members.length,
    member: isMember ? directoriesOf(host.parameters.get("zookeeper")) : undefined,
    members:
      isMember || mesh.proxies.includes(host.name)
        ? mesh.ensemble
            .filter((member) => member.host !== host.name)
            .map((member) => ({ host: member.host, address: member.address }))
        : [],
    clientPort: mesh.zookeeper.clientPort,
    others: [...new Set([...members, ...mesh.proxies])].filter((name) => name !== host.name),
  };
}

function maxconnOf(parameters: unknown): number | undefined {
  const { maxconn } = (parameters ?? {}) as { maxconn?: unknown };
  return typeof maxconn === "number" ? maxconn : undefined;
}

/** Where a member keeps its data, and where the log that it flushes at every write. */
function directoriesOf(parameters: unknown): { dataDir: string; logDir: string } {
  const { data_dir, data_log_dir } = (parameters ?? {}) as { data_dir?: unknown; data_log_dir?: unknown };
  const dataDir = typeof data_dir === "string" ? data_dir : "/var/lib";
  return { dataDir, logDir: typeof data_log_dir === "string" ? data_log_dir : dataDir };
}
