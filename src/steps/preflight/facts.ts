import { type PortRange, parsePortRanges } from "../../evidence/port-ranges.ts";
import { requiredFieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";

export interface PreflightFacts {
  readonly directories: readonly { readonly path: string; readonly writable: boolean }[];
  readonly space: readonly {
    readonly path: string;
    readonly freeBytes: number;
    /** Undefined when the file system makes inodes as it needs them. */
    readonly freeInodes: number | undefined;
  }[];
  readonly localPortRange: PortRange;
  readonly reservedPorts: readonly PortRange[];
  /** Flushes of the disk under /var/lib since boot; undefined when the kernel does not count them. */
  readonly flush: { readonly source: string; readonly count: number; readonly totalMs: number } | undefined;
}

export function preflightFacts(output: ProbeOutput): PreflightFacts {
  const [[low, high] = []] = rowsOf(output, "local_port_range");
  const reservedPorts = parsePortRanges(requiredFieldOf(output, "reserved_ports"));
  if (!low || !high || reservedPorts === undefined) {
    throw new ProbeNotUnderstood("the local port range or the reserved ports make no sense");
  }
  for (const key of ["directory", "space"]) {
    if (rowsOf(output, key).length === 0) throw new ProbeNotUnderstood(`"${key}" was not printed`);
  }
  const [flush] = rowsOf(output, "flush");
  return {
    directories: rowsOf(output, "directory").map(([path, writable]) => ({
      path: path!,
      writable: writable === "yes",
    })),
    space: rowsOf(output, "space").map(([path, blockSize, freeBlocks, inodes, freeInodes]) => ({
      path: path!,
      freeBytes: Number(blockSize) * Number(freeBlocks),
      freeInodes: Number(inodes) === 0 ? undefined : Number(freeInodes),
    })),
    localPortRange: { first: Number(low), last: Number(high) },
    reservedPorts,
    flush: flush && { source: flush[0]!, count: Number(flush[1]), totalMs: Number(flush[2]) },
  };
}
