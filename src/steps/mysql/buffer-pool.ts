import { MIB, showBytes } from "./size.ts";

/** What the inventory asks of innodb_buffer_pool_size. */
export type PoolSize =
  | { readonly is: "bytes"; readonly bytes: number }
  | { readonly is: "percent"; readonly low: number; readonly high: number };

// The servers resize in chunks of this size and round up to it; a whole number of them is rounded by none.
const CHUNK_BYTES = 128 * MIB;

/** What the server takes beside the pool: dictionary, threads, sort and join buffers of a few connections. */
export const OVERHEAD_BYTES = 200 * MIB;

// MemTotal moves with kernel updates: that must not restart a database.
const PERCENT_SLACK = 1;

export interface WantedPool {
  /** What a new drop-in says. */
  readonly bytes: number;
  readonly shown: string;
  /** Whether a size that is asked for, in a file or of the server, is as wanted. */
  accepts(bytes: number): boolean;
}

/** The pool for a host with this much memory. */
export function wantedPool(size: PoolSize, memoryBytes: number): WantedPool {
  if (size.is === "bytes") {
    const { bytes } = size;
    // MariaDB ≥ 10.11.12 and MySQL's option parser cut to whole MiB.
    return {
      bytes,
      shown: showBytes(bytes),
      accepts: (found) => found === bytes || found === wholeMib(bytes),
    };
  }
  const { low, high } = size;
  const share = (percent: number) => (memoryBytes * percent) / 100;
  const middle = share((low + high) / 2);
  const bytes = Math.max(CHUNK_BYTES, middle - (middle % CHUNK_BYTES));
  const slack = low === high ? PERCENT_SLACK : 0;
  return {
    bytes,
    shown: `${showBytes(bytes)} (${low === high ? low : `${low}–${high}`}% of memory)`,
    // Rounding down has taken up to a chunk off.
    accepts: (found) =>
      found === bytes || (found > share(low - slack) - CHUNK_BYTES && found <= share(high + slack)),
  };
}

/** What a server may make of `bytes`: cut to whole MiB, or rounded up to chunk × instances where it has those. */
export function isRounded(found: number, bytes: number, chunkBytes: number, instances: number): boolean {
  if (found === bytes || found === wholeMib(bytes)) return true;
  const step = chunkBytes * Math.max(1, instances);
  return step > 0 && found === Math.ceil(bytes / step) * step;
}

function wholeMib(bytes: number): number {
  return bytes - (bytes % MIB);
}
