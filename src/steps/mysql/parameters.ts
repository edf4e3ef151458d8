import * as z from "zod";
import { byteSize } from "../../quantities.ts";
import type { PoolSize } from "./buffer-pool.ts";
import type { Named, Proxied } from "./proxied.ts";
import { MIB } from "./size.ts";

export interface MysqlParameters {
  readonly server: "auto" | "mariadb" | "mysql";
  readonly bufferPoolSize: PoolSize;
  readonly logFileSizeBytes: number;
  /** MySQL ≥ 8.0.30 has a capacity in the place of two log files. */
  readonly redoLogCapacityBytes: number;
  readonly flushLogAtTrxCommit: 0 | 1 | 2;
  readonly adopt: boolean;
}

const EXPECTED_POOL = "expected a percentage of memory like 75%, a range like 70-80%, or a size like 4G";
const PERCENT = { least: 5, most: 90 } as const;

const bufferPoolSize = z
  .union([z.number(), z.string()], { error: EXPECTED_POOL })
  .transform((value, context): PoolSize => {
    const [, first, last] = /^(\d+)(?:\s*[-–]\s*(\d+))?\s*%$/.exec(String(value).trim()) ?? [];
    if (first !== undefined) {
      const [low, high] = [Number(first), Number(last ?? first)];
      if (low >= PERCENT.least && low <= high && high <= PERCENT.most) return { is: "percent", low, high };
      context.addIssue({ code: "custom", message: `expected ${PERCENT.least}–${PERCENT.most} %` });
      return z.NEVER;
    }
    const bytes = byteSize.safeParse(value);
    if (!bytes.success) context.addIssue({ code: "custom", message: EXPECTED_POOL });
    else if (bytes.data < 8 * MIB) context.addIssue({ code: "custom", message: "expected at least 8M" });
    else return { is: "bytes", bytes: bytes.data };
    return z.NEVER;
  });

// The servers round to 4 KiB, 64 KiB or 1 MiB, by version: whole MiB come through all of them.
const wholeMib = (leastMib: number) =>
  byteSize.refine((bytes) => bytes % MIB === 0 && bytes >= leastMib * MIB, {
    error: `expected whole MiB, at least ${leastMib}M`,
  });

/** With what the mesh has to do with this host's server. */
export interface MysqlDesired extends MysqlParameters {
  readonly proxied?: readonly Proxied[];
  readonly named?: readonly Named[];
}

export const mysqlParameters: z.ZodType<MysqlParameters> = z
  .strictObject({
    server: z
      .enum(["auto", "mariadb", "mysql"])
      .default("auto")
      .describe("auto: what is installed, else MariaDB"),
    buffer_pool_size: bufferPoolSize
      .prefault("75%")
      .describe("innodb_buffer_pool_size: a percentage of memory, a range of it, or bytes"),
    log_file_size: wholeMib(4).prefault("512M").describe("innodb_log_file_size"),
    redo_log_capacity: wholeMib(8)
      .optional()
      .describe("innodb_redo_log_capacity of MySQL 8.0.30 and later; twice log_file_size unless given"),
    flush_log_at_trx_commit: z
      .union([z.literal(0), z.literal(1), z.literal(2)], { error: "expected 0, 1 or 2" })
      .default(2)
      .describe("innodb_flush_log_at_trx_commit: 1 loses nothing; 2 up to a second on a power failure"),
    adopt: z.boolean().default(false).describe("replace a zz-meshctl.cnf that meshctl did not write"),
  })
  .transform((given) => ({
    server: given.server,
    bufferPoolSize: given.buffer_pool_size,
    logFileSizeBytes: given.log_file_size,
    // As the server computes it from innodb_log_file_size and its two files, where it still does.
    // https://dev.mysql.com/doc/refman/8.4/en/innodb-parameters.html#sysvar_innodb_redo_log_capacity
    redoLogCapacityBytes: given.redo_log_capacity ?? 2 * given.log_file_size,
    flushLogAtTrxCommit: given.flush_log_at_trx_commit,
    adopt: given.adopt,
  }));
