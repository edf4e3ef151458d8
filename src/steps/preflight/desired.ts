import { z } from "zod";
import type { HostName, HostView, InventoryView } from "../../inventory/view.ts";
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
  disk_free_min: byteSize.prefault("512M").describe("free space wanted under /usr, /var and /opt"),
});

export type PreflightParameters = z.output<typeof preflightParameters>;

export interface PreflightDesired {
  readonly address: string;
  readonly allowOs: readonly string[];
  readonly virtualization: readonly string[];
  readonly clockSkewMaxMs: number;
  readonly memoryReserveBytes: number;
  readonly diskFreeMinBytes: number;
  /** haproxy.maxconn, to say how low it must be where the limit of open files is too low. */
  readonly maxconn: number | undefined;
  readonly ensembleSize: number;
  readonly isMember: boolean;
  /** Hosts beside this one that the mesh spans. */
  readonly others: readonly HostName[];
}

export function preflightDesired(
  parameters: PreflightParameters,
  host: HostView,
  { mesh, allowOs }: InventoryView,
): PreflightDesired {
  const members = mesh.ensemble.map((member) => member.host);
  return {
    address: host.address,
    allowOs,
    virtualization: parameters.virtualization,
    clockSkewMaxMs: parameters.clock_skew_max,
    memoryReserveBytes: parameters.memory_reserve,
    diskFreeMinBytes: parameters.disk_free_min,
    maxconn: maxconnOf(host.parameters.get("haproxy")),
    ensembleSize: members.length,
    isMember: members.includes(host.name),
    others: [...new Set([...members, ...mesh.proxies])].filter((name) => name !== host.name),
  };
}

function maxconnOf(parameters: unknown): number | undefined {
  const { maxconn } = (parameters ?? {}) as { maxconn?: unknown };
  return typeof maxconn === "number" ? maxconn : undefined;
}
