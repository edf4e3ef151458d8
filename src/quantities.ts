import * as z from "zod";
import { parseDuration, parseSize } from "./quantity-text.ts";

const DURATION = "expected a duration like 500ms, 2s or 2000 (milliseconds)";
const SIZE = "expected a size like 512M or 1G";
const PORT = "expected 1–65535";

/** A number or text that `parse` makes a number of. */
const quantity = (parse: (text: string) => number | undefined, error: string) =>
  z.union([z.number(), z.string()], { error }).transform((value, context) => {
    const parsed = parse(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: error });
    return z.NEVER;
  });

/** "500ms", "2s", "5m", "1h" or a plain number of milliseconds, as whole milliseconds. */
export const durationMs = quantity(parseDuration, DURATION);

/** "64K", "512M", "1G", "1T" (binary units) or a plain number of bytes, as whole bytes, never 0. */
export const byteSize = quantity(parseSize, SIZE);

/** A TCP port. */
export const port = z.int({ error: PORT }).min(1, { error: PORT }).max(65535, { error: PORT });
