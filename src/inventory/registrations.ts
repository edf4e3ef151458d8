import * as z from "zod";
import type { HostView } from "../contract/inventory-view.ts";
import { durationMs, port } from "../quantities.ts";
import { labelName, labelValue } from "./labels.ts";
import { address } from "./schema.ts";

const CHECK = "expected a path like /health, or false for a TCP check";
const INTERVAL = "expected 100ms or more";
const WEIGHT = "expected 0–256";
const OPTIONS = "expected options of a server line, parted by single blanks, like maxconn 30";

const interval = durationMs.pipe(z.number().min(100, { error: INTERVAL }));

/** What a host registers of one service that it runs. Keys are as in the YAML; times are in milliseconds once parsed. */
export const registration = z.strictObject({
  port: port.describe("where the service listens, on the host's mesh address"),
  check: z
    .strictObject({
      http: z
        .union([z.literal(false), z.string().regex(/^\/\S*$/, { error: CHECK })], { error: CHECK })
        .optional()
        .describe(
          "path that answers 2xx or 3xx to GET, or false to only connect; default: as the mesh checks it",
        ),
      host: address.optional().describe("where it is asked, when not at the host's mesh address"),
      port: port.optional().describe("likewise, when not at its own port"),
      inter: interval.prefault("1s").describe("pause between checks"),
      timeout: interval.prefault("1s").describe("how long a check may take"),
      rise: z.int().min(1).default(2).describe("good checks after which it is registered again"),
      fall: z.int().min(1).default(3).describe("failed checks after which it is taken out"),
    })
    .prefault({})
    .describe("its health check"),
  weight: z
    .int({ error: WEIGHT })
    .min(0, { error: WEIGHT })
    .max(256, { error: WEIGHT })
    .optional()
    .describe("HAProxy's weight of this server"),
  backup: z.boolean().optional().describe("gets requests only while no other server is up"),
  server_options: z
    .string({ error: OPTIONS })
    .regex(/^[!-~]+( [!-~]+)*$/, { error: OPTIONS })
    .refine((text) => !text.split(" ").some((word) => word === "weight" || word === "backup"), {
      error: "'weight' and 'backup' are keys of their own",
    })
    .optional()
    .describe("further options of its HAProxy server, like maxconn 30, as far as backends may set them"),
  labels: z
    .record(labelName, labelValue)
    .optional()
    .describe("labels of this backend, beside those that its service picks by"),
});

export type Registration = z.output<typeof registration> & {
  /** Which it is of a list in the file, from 0; undefined where it stands alone. */
  readonly at?: number;
};

const instances = z
  .array(registration)
  .min(1)
  .superRefine((listed, context) => {
    for (const [at, { port: own }] of listed.entries()) {
      const twin = listed.findIndex((each) => each.port === own);
      if (twin < at)
        context.addIssue({
          code: "custom",
          path: [at, "port"],
          message: `${own} is the port of instance ${twin + 1} already`,
        });
    }
  });

/** The registrar step's `services`: name of a service of the mesh → what the host registers of it, one or several. */
export const registrations = z.record(
  z.string(),
  z
    .union([registration, instances])
    .transform((given): readonly Registration[] =>
      Array.isArray(given) ? given.map((each, at) => ({ ...each, at })) : [given],
    ),
);

/** What the inventory says that a host registers, whichever step asks. */
export function registrationsOf(host: HostView): Readonly<Record<string, readonly Registration[]>> {
  const parameters = host.parameters.get("registrar") as
    | { readonly services: Readonly<Record<string, readonly Registration[]>> }
    | undefined;
  return parameters?.services ?? {};
}
