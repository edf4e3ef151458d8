import * as z from "zod";
import { durationMs } from "../quantities.ts";

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
  timeout_connect: durationMs.default(500).describe("how long a connection to a server may take"),
  timeout_client: durationMs.default(5_000).describe("how long a client may be silent"),
  timeout_server: durationMs.default(5_000).describe("how long a server may be silent"),
  retries: z.int().min(0).max(100).default(3).describe("further attempts after a failed connection"),
  retry_on: z
    .array(z.enum(["conn-failure", "empty-response", "junk-response", "response-timeout"]))
    .default([])
    .describe("failures after which a GET or HEAD is sent to another server; needs HAProxy 2.0"),
  adopt: z.boolean().default(false).describe("replace configuration files that meshctl did not write"),
});

export type HaproxyParameters = z.output<typeof haproxyParameters>;
