import type { BootPlan } from "../../daemon/boot.ts";
import type { BootLine } from "../../daemon/boot-lines.ts";
import type { PortRange } from "../../evidence/port-ranges.ts";

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
  /** What the next boot starts; undefined where it was not read, which the rows of each unit tell. */
  readonly boot: BootPlan | undefined;
  /** Lines that are run at a boot or later; none where they were not read, which the rows of each unit tell. */
  readonly bootLines: readonly BootLine[];
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
