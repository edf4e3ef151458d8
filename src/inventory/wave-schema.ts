import * as z from "zod";
import { parseDuration } from "../quantity-text.ts";
import { parseWaveSize, type WaveSize } from "../waves.ts";

const SIZE = "expected hosts of a wave as a number or a share of all, for example 1 or 25%";

/** One size for all waves, or one for each; the last goes for all that follow. */
export const waveSizes = z.unknown().transform((value, context): readonly WaveSize[] => {
  const isList = Array.isArray(value);
  const refuse = (message: string, path: (string | number)[] = []) =>
    context.addIssue({ code: "custom", message, path });
  if (isList && value.length === 0) refuse("expected at least one size of a wave");
  return [value].flat().flatMap((each, index) => {
    const size = typeof each === "string" || typeof each === "number" ? parseWaveSize(each) : undefined;
    if (size === undefined) refuse(SIZE, isList ? [index] : []);
    return size ?? [];
  });
});

const MOST = "expected how many hosts may fail: a whole number, 0 for none";
export const mostFailures = z.int({ error: MOST }).min(0, { error: MOST }).max(9999, { error: MOST });

const HOLD =
  "expected how long the mesh is watched after each wave: a time with its unit, like 30s or 5m, at most 24h";
export const hold = z.string({ error: HOLD }).transform((text, context) => {
  const milliseconds = /[a-z]$/.test(text) ? parseDuration(text) : undefined;
  if (milliseconds !== undefined && milliseconds <= 24 * 3_600_000) return milliseconds;
  context.addIssue({ code: "custom", message: HOLD });
  return z.NEVER;
});
