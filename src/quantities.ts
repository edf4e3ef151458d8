import * as z from "zod";
import { LEAST_PLAIN_MS, parseDuration, parseSize } from "./quantity-text.ts";

const DURATION = "expected a duration like 500ms, 2s or 2000 (milliseconds)";
const SIZE = "expected a size like 512M or 1G";
const PORT = "expected 1–65535";

/** A number or text that `parse` makes a number of. */
const quantity = (
  parse: (text: string) => number | undefined,
  error: string,
  unclear: (value: number) => string | undefined = () => undefined,
) =>
  z.union([z.number(), z.string()], { error }).transform((value, context) => {
    const doubt = typeof value === "number" ? unclear(value) : undefined;
    const parsed = doubt === undefined ? parse(String(value)) : undefined;
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: doubt ?? error });
    return z.NEVER;
  });

/** "500ms", "2s", "5m", "1h" or a plain number of milliseconds, 100 and more, as whole milliseconds. */
export const durationMs = quantity(parseDuration, DURATION, unitless);

/** `timeout_connect: 5` is hardly meant as milliseconds; of Synapse's and HAProxy's own numbers none is so small. */
function unitless(value: number): string | undefined {
  return value > 0 && value < LEAST_PLAIN_MS
    ? `expected a time with its unit, ${value}s or ${value}ms`
    : undefined;
}

/** "64K", "512M", "1G", "1T" (binary units) or a plain number of bytes, as whole bytes, never 0. */
export const byteSize = quantity(parseSize, SIZE);

/** A TCP port. */
export const port = z.int({ error: PORT }).min(1, { error: PORT }).max(65535, { error: PORT });
