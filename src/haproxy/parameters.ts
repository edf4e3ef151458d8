import { isIP } from "node:net";
import * as z from "zod";
import { linesOf, sectionLines } from "../haproxy-lines.ts";
import { durationMs, port } from "../quantities.ts";

/**
 * Parameters of the haproxy step. They shape haproxy.cfg whoever writes it, so the watcher step reads them too.
 * Keys are as in the YAML; the time-outs are in milliseconds once parsed.
 */
export const haproxyParameters = z.strictObject({
  maxconn: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(50_000)
    .describe("connections at the same time; each needs two open files"),
  timeout_connect: durationMs.prefault("500ms").describe("how long a connection to a server may take"),
  timeout_client: durationMs.prefault("5s").describe("how long a client may be silent"),
  timeout_server: durationMs.prefault("5s").describe("how long a server may be silent"),
  timeout_tcp: durationMs
    .prefault("8h")
    .describe("how long both sides of a service of mode tcp may be silent, where it does not say so itself"),
  hard_stop_after: durationMs
    .optional()
    .describe(
      "how long a worker of before a reload may serve clients that stay connected; default: as long as they do; needs HAProxy 1.8",
    ),
  retries: z.int().min(0).max(100).default(3).describe("further attempts after a failed connection"),
  retry_on: z
    .array(z.enum(["conn-failure", "empty-response", "junk-response", "response-timeout"]))
    .default([])
    .describe("failures after which a GET or HEAD is sent to another server; needs HAProxy 2.0"),
  global: linesOf("global").default([]).describe("further lines of HAProxy's `global`"),
  defaults: linesOf("defaults").default([]).describe("further lines of HAProxy's `defaults`"),
  sections: sectionLines
    .default({})
    .describe(
      "sections beside the services: 'listen stats', 'peers NAME', 'resolvers NAME', 'userlist NAME'",
    ),
  stats: z
    .strictObject({
      port: port.describe("where the page is"),
      address: z
        .string()
        .refine((value) => isIP(value) !== 0, { error: "expected an IP address" })
        .default("127.0.0.1")
        .describe("on which address"),
      uri: z
        .string()
        .regex(/^\/[\w/.~-]*$/, { error: "expected a path like /" })
        .default("/")
        .describe("its path"),
    })
    .optional()
    .describe("HAProxy's statistics as a page"),
  adopt: z.boolean().default(false).describe("replace configuration files that meshctl did not write"),
});

export type HaproxyParameters = z.output<typeof haproxyParameters>;
