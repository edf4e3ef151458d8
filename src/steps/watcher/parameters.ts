import { z } from "zod";

/** What a service serves when its path in ZooKeeper has no child left. */
export const watcherParameters = z.strictObject({
  when_empty: z
    .enum(["keep_last", "serve_none"])
    .default("keep_last")
    .describe(
      "what a service does whose path in ZooKeeper becomes empty: keep its last servers, or serve none",
    ),
  build_host: z
    .string()
    .optional()
    .describe("host that compiles the gems; default: the first of each release and architecture"),
});

export type WatcherParameters = z.output<typeof watcherParameters>;
