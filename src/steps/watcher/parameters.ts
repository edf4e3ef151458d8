import * as z from "zod";
import { gemParameters } from "../../smartstack/gem-parameters.ts";
import { replacedUnits } from "../../smartstack/replaced.ts";

/** What a service serves when its path in ZooKeeper has no child left; where Synapse's gems come from. */
export const watcherParameters = z.strictObject({
  when_empty: z
    .enum(["keep_last", "serve_none"])
    .default("keep_last")
    .describe("servers of a service whose path in ZooKeeper becomes empty: the last ones, or none"),
  replaces: replacedUnits,
  ...gemParameters,
});

export type WatcherParameters = z.output<typeof watcherParameters>;
