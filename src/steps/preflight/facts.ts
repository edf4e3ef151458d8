import { type PortRange, parsePortRanges } from "../../evidence/port-ranges.ts";
import { requiredFieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import { quotable } from "../../terminal-text.ts";

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
  /** Undefined on hosts that are no members of the ensemble. */
  readonly flush: Flush | undefined;
  /** Member's address → the connects that were answered, and why others were not; "" where all were. */
  readonly roundTrips: ReadonlyMap<
    string,
    { readonly microseconds: readonly number[]; readonly failure: string }
  >;
}

/** How long flushes take of the disk that ZooKeeper's data is on, or will be. */
export type Flush =
  | { readonly from: "zookeeper"; readonly at: string; readonly count: number; readonly meanMs: number }
  | { readonly from: "measured"; readonly directory: string; readonly milliseconds: readonly number[] }
  | { readonly from: "kernel"; readonly file: string; readonly count: number; readonly totalMs: number }
  | { readonly from: "unread"; readonly directory: string; readonly because: string };

export function preflightFacts(output: ProbeOutput): PreflightFacts {
  const [[low, high] = []] = rowsOf(output, "local_port_range");
  const reservedPorts = parsePortRanges(requiredFieldOf(output, "reserved_ports"));
  if (!low || !high || reservedPorts === undefined) {
    throw new ProbeNotUnderstood("the local port range or the reserved ports make no sense");
  }
  for (const key of ["directory", "space"]) {
    if (rowsOf(output, key).length === 0) throw new ProbeNotUnderstood(`"${key}" was not printed`);
  }
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
    flush: flushOf(rowsOf(output, "flush")[0]),
    roundTrips: new Map(
      rowsOf(output, "round_trip").map(([address, said]) => [address!, roundTripOf(said ?? "")]),
    ),
  };
}

function flushOf(row: readonly string[] | undefined): Flush | undefined {
  if (row === undefined) return undefined;
  const [from, where = "", said = ""] = row;
  const numbers = said.split(/\s+/).filter(Boolean).map(Number);
  if (from === "unread") return { from, directory: where, because: quotable(said.trim()) };
  if (numbers.length === 0 || !numbers.every(Number.isFinite)) {
    throw new ProbeNotUnderstood(`"flush" makes no sense: ${said}`);
  }
  const [count, figure] = numbers as [number, number];
  if (from === "measured")
    return { from, directory: where, milliseconds: numbers.map((each) => each / 1000) };
  if (numbers.length !== 2) throw new ProbeNotUnderstood(`"flush" makes no sense: ${said}`);
  if (from === "zookeeper") return { from, at: where, count, meanMs: figure };
  return { from: "kernel", file: where, count, totalMs: figure };
}

/** Lines of microseconds, and what bash says of connects that failed; a refused one came there and back. */
function roundTripOf(said: string): { microseconds: readonly number[]; failure: string } {
  const lines = said.split("\n").filter(Boolean);
  const failures = lines.filter((line) => !/^\d+$/.test(line) && !line.endsWith(": Connection refused"));
  return {
    microseconds: lines.filter((line) => /^\d+$/.test(line)).map(Number),
    failure: failures[0]?.replace(/^.*: /, "") ?? "",
  };
}
