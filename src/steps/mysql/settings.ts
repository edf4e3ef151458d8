import { isRounded, type WantedPool, wantedPool } from "./buffer-pool.ts";
import { valueInDropIn } from "./drop-in.ts";
import type { InstalledFacts } from "./facts.ts";
import type { MysqlParameters } from "./parameters.ts";
import type { Server } from "./server.ts";
import { parseSize, showBytes } from "./size.ts";

export const POOL = "innodb_buffer_pool_size";
const LOG_FILE = "innodb_log_file_size";
export const REDO_CAPACITY = "innodb_redo_log_capacity";
export const FLUSH = "innodb_flush_log_at_trx_commit";

/** One of the three settings as this server, of this version, has it. */
export interface Setting {
  readonly name: string;
  readonly want: string;
  /** What the drop-in says. */
  readonly inFile: string;
  /** What SET GLOBAL takes: it knows no units. */
  readonly number: number;
  readonly show: (value: number) => string;
  /** Whether a value asked for in files is as wanted. */
  readonly accepts: (value: number) => boolean;
  /** Whether a value that the running server gives is what it makes of one that is as wanted. */
  readonly acceptsLive: (value: number) => boolean;
  /** Whether this server takes it without a restart. */
  readonly isOnline: boolean;
}

/** `dropIn` is what our file holds now: a size in it that is within the wanted range stays. */
export function wantedSettings(
  desired: MysqlParameters,
  server: Server,
  installed: InstalledFacts | undefined,
  memoryBytes: number,
  dropIn: string | undefined,
): readonly Setting[] {
  const pool = wantedPool(desired.bufferPoolSize, memoryBytes);
  return [
    poolSetting(pool, installed, dropIn),
    hasRedoCapacity(server, installed)
      ? exact(REDO_CAPACITY, desired.redoLogCapacityBytes, showBytes, true)
      : exact(LOG_FILE, desired.logFileSizeBytes, showBytes, resizesLogOnline(installed)),
    exact(FLUSH, desired.flushLogAtTrxCommit, String, true),
  ];
}

function poolSetting(
  pool: WantedPool,
  installed: InstalledFacts | undefined,
  dropIn: string | undefined,
): Setting {
  const kept = parseSize(valueInDropIn(dropIn, POOL) ?? "");
  const inFileBytes = kept !== undefined && pool.accepts(kept) ? kept : pool.bytes;
  const asked = installed?.parser.values.get(POOL);
  const askedBytes = asked !== undefined && pool.accepts(asked) ? asked : inFileBytes;
  const live = (name: string) => Number(installed?.live?.get(name) ?? 0);
  return {
    name: POOL,
    want: pool.shown,
    inFile: showBytes(inFileBytes),
    number: inFileBytes,
    show: showBytes,
    accepts: pool.accepts,
    acceptsLive: (value) =>
      pool.accepts(value) ||
      isRounded(
        value,
        askedBytes,
        live("innodb_buffer_pool_chunk_size"),
        live("innodb_buffer_pool_instances"),
      ),
    // Resizing a pool of many gigabytes under load stalls the server: a restart is the calmer way.
    isOnline: false,
  };
}

function exact(name: string, want: number, show: (value: number) => string, isOnline: boolean): Setting {
  const accepts = (value: number) => value === want;
  return {
    name,
    want: show(want),
    inFile: show(want),
    number: want,
    show,
    accepts,
    acceptsLive: accepts,
    isOnline,
  };
}

/** MySQL has it since 8.0.30; by 9.7 it refuses to start with innodb_log_file_size. MariaDB never had it. */
function hasRedoCapacity(server: Server, installed: InstalledFacts | undefined): boolean {
  if (server.name !== "mysql") return false;
  const known = installed?.parser.values;
  return known === undefined || !known.has(LOG_FILE) || known.has(REDO_CAPACITY);
}

/** https://mariadb.com/docs/server/server-usage/storage-engines/innodb/innodb-system-variables: since 10.9. */
function resizesLogOnline(installed: InstalledFacts | undefined): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(installed?.live?.get("version") ?? "") ?? [];
  if (installed?.server.name !== "mariadb") return false;
  return Number(major) > 10 || (Number(major) === 10 && Number(minor) >= 9);
}
