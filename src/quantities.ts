import { z } from "zod";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

const DURATION = "expected a duration like 500ms, 2s or 2000 (milliseconds)";
const SIZE = "expected a size like 512M or 1G";
const PORT = "expected 1–65535";

/** "500ms", "2s", "5m", "1h" or a plain number of milliseconds, as whole milliseconds. */
export const durationMs = z
  .union([z.number(), z.string()], { error: DURATION })
  .transform((value, context) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(String(value)) ?? [];
    const milliseconds = Number(amount) * MILLISECONDS[unit ?? "ms"]!;
    if (Number.isSafeInteger(milliseconds)) return milliseconds;
    context.addIssue({ code: "custom", message: DURATION });
    return z.NEVER;
  });

/** "64K", "512M", "1G", "1T" (binary units) or a plain number of bytes, as whole bytes, never 0. */
export const byteSize = z.union([z.number(), z.string()], { error: SIZE }).transform((value, context) => {
  const [, amount, unit] = /^(\d+)([KMGT])?$/i.exec(String(value)) ?? [];
  const bytes = Number(amount) * (unit === undefined ? 1 : BYTES[unit.toUpperCase()]!);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  context.addIssue({ code: "custom", message: SIZE });
  return z.NEVER;
});

/** A TCP port. */
export const port = z.int({ error: PORT }).min(1, { error: PORT }).max(65535, { error: PORT });
