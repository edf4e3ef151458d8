import * as z from "zod";

/** Who is let in stands in the inventory, under `mesh`. */
export const firewallParameters = z.strictObject({
  adopt: z.boolean().default(false).describe("replace files of its names that meshctl did not write"),
});

export type FirewallParameters = z.output<typeof firewallParameters>;
