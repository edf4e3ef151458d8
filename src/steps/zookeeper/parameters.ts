import * as z from "zod";
import { byteSize, durationMs } from "../../quantities.ts";

export interface ZookeeperParameters {
  /** Stated at the host; `desired` takes it from the mesh, which knows every member's. */
  readonly id?: number | undefined;
  readonly heap: number;
  readonly data_dir: string;
  readonly data_log_dir?: string | undefined;
  readonly tick_time: number;
  readonly init_limit: number;
  readonly sync_limit: number;
  readonly autopurge_keep: number;
  readonly adopt: boolean;
}

const ID = "expected 1–255";
const TICKS = "expected a whole number of ticks, 1 or more";

/** Places that a reboot or a cleaner empties, or that the unit's sandbox hides. */
const VOLATILE = /^\/(tmp|var\/tmp|run|var\/run|dev|proc|sys|home|root|usr|boot|etc)(\/|$)/;

export function isLasting(path: string): boolean {
  return !VOLATILE.test(path);
}

const dataDirectory = z
  .string()
  .regex(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/, {
    error: "expected an absolute path of letters, digits, '.', '_' and '-'",
  })
  .refine(isLasting, {
    error: "expected a place that lasts and is the service's own, for example /var/lib/zookeeper/data",
  });

export const zookeeperParameters: z.ZodType<ZookeeperParameters> = z.strictObject({
  id: z
    .int({ error: ID })
    .min(1, { error: ID })
    .max(255, { error: ID })
    .optional()
    .describe("the member's id, 1–255, stated at the host; without it the host keeps the one it has"),
  heap: byteSize
    .refine((bytes) => bytes >= 2 ** 26 && bytes % 1024 === 0, { error: "expected 64M or more" })
    .prefault("1G")
    .describe("heap of the Java process, all of which it may keep"),
  data_dir: dataDirectory
    .default("/var/lib/zookeeper/data")
    .describe("snapshots, transaction logs and myid; never moved while it holds data"),
  data_log_dir: dataDirectory
    .optional()
    .describe(
      "transaction logs apart from the snapshots, on a disk of their own; never moved while it holds logs",
    ),
  tick_time: durationMs
    .refine((milliseconds) => milliseconds >= 100, { error: "expected 100ms or more" })
    .prefault("2s")
    .describe("ZooKeeper's unit of time; a session lasts 2 to 20 of them"),
  init_limit: z
    .int({ error: TICKS })
    .min(1, { error: TICKS })
    .default(10)
    .describe("ticks a follower may take to connect to the leader and load its state"),
  sync_limit: z
    .int({ error: TICKS })
    .min(1, { error: TICKS })
    .default(5)
    .describe("ticks a follower may lag behind the leader"),
  // ZooKeeper raises anything lower to 3 without a word.
  autopurge_keep: z
    .int({ error: "expected 3 or more" })
    .min(3, { error: "expected 3 or more" })
    .default(3)
    .describe("snapshots kept, with the transaction logs they need"),
  adopt: z
    .boolean()
    .default(false)
    .describe("replace a zoo.cfg or zookeeper.service that meshctl did not write"),
});
