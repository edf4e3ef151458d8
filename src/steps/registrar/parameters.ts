import * as z from "zod";
import { registrations } from "../../inventory/registrations.ts";
import { gemParameters } from "../../smartstack/gem-parameters.ts";
import { replacedUnits } from "../../smartstack/replaced.ts";

/** Which services of the mesh a host runs; where Nerve's gems come from. */
export const registrarParameters = z.strictObject({
  services: registrations.default({}).describe("services of the mesh that the host runs, each with its port"),
  replaces: replacedUnits,
  formerly: z
    .string()
    // Part of a node's name in ZooKeeper.
    .regex(/^[^\p{C}\p{Zl}\p{Zp}/]{1,200}$/u, {
      error: "expected a name of letters, digits and signs, without '/'",
    })
    .optional()
    .describe(
      "the instance_id that an earlier Nerve gave this host: servers of that name give way to the host's",
    ),
  ...gemParameters,
});

export type RegistrarParameters = z.output<typeof registrarParameters>;
