import * as z from "zod";
import type { HostView } from "../contract/inventory-view.ts";
import { durationMs, port } from "../quantities.ts";

const CHECK = "expected a path like /health, or false for a TCP check";
const INTERVAL = "expected 100ms or more";
const WEIGHT = "expected 0–256";

const interval = durationMs.pipe(z.number().min(100, { error: INTERVAL }));

/** What a host registers of one service that it runs. Keys are as in the YAML; times are in milliseconds once parsed. */
const registration = z.strictObject({
  port: port.describe("where the service listens, on the host's mesh address"),
  check: z
    .strictObject({
      http: z
        .union([z.literal(false), z.string().regex(/^\/\S*$/, { error: CHECK })], { error: CHECK })
        .optional()
        .describe(
          "path that answers 2xx or 3xx to GET, or false to only connect; default: as the mesh checks it",
        ),
      inter: interval.default(1_000).describe("pause between checks"),
      timeout: interval.default(1_000).describe("how long a check may take"),
      rise: z.int().min(1).default(2).describe("good checks after which it is registered again"),
      fall: z.int().min(1).default(3).describe("failed checks after which it is taken out"),
    })
    .prefault({}),
  weight: z
    .int({ error: WEIGHT })
    .min(0, { error: WEIGHT })
    .max(256, { error: WEIGHT })
    .optional()
    .describe("HAProxy's weight of this server"),
});

/** The registrar step's `services`: name of a service of the mesh → what the host registers of it. */
export const registrations = z.record(z.string(), registration);

export type Registration = z.output<typeof registration>;

/** What the inventory says that a host registers, whichever step asks. */
export function registrationsOf(host: HostView): Readonly<Record<string, Registration>> {
  const parameters = host.parameters.get("registrar") as
    | { readonly services: Readonly<Record<string, Registration>> }
    | undefined;
  return parameters?.services ?? {};
}
