const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Whole milliseconds of "500ms", "2s", "5m", "1h" or plain milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const milliseconds = Number(amount) * MILLISECONDS[unit ?? "ms"]!;
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/** Whole bytes of "64K", "512M", "1G", "1T" (binary units) or plain bytes; undefined for anything else, and for 0. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+)([KMGT])?$/i.exec(text) ?? [];
  const bytes = Number(amount) * (unit === undefined ? 1 : BYTES[unit.toUpperCase()]!);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Below this a plain number is no duration: 5 is hardly meant as milliseconds. */
export const LEAST_PLAIN_MS = 100;

/** As a file may have it: 2000, or "50ms" where the number alone would be refused. */
export function writtenDuration(milliseconds: number): number | string {
  return milliseconds > 0 && milliseconds < LEAST_PLAIN_MS ? `${milliseconds}ms` : milliseconds;
}

/** "2304M" for whole MiB, else plain bytes: read by people and by every server. */
export function showBytes(bytes: number): string {
  if (bytes > 0 && bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}G`;
  return bytes > 0 && bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}M` : String(bytes);
}

/** "45 s", "3 min", "5 h", "12 d". */
export function showAge(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** "1 host", "2 hosts". */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
