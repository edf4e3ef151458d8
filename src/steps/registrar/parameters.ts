import * as z from "zod";
import { registrations } from "../../inventory/registrations.ts";
import { gemParameters } from "../../smartstack/gem-parameters.ts";

/** Which services of the mesh a host runs; where Nerve's gems come from. */
export const registrarParameters = z.strictObject({
  services: registrations.default({}).describe("services of the mesh that the host runs, each with its port"),
  ...gemParameters,
});

export type RegistrarParameters = z.output<typeof registrarParameters>;
