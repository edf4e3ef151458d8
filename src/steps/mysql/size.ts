export const MIB = 2 ** 20;
const UNITS = "KMGTPE";

/** "2304M" for whole MiB, else plain bytes: read by people and by every server. */
export function showBytes(bytes: number): string {
  if (bytes > 0 && bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}G`;
  return bytes > 0 && bytes % MIB === 0 ? `${bytes / MIB}M` : String(bytes);
}

/** A number as option files hold it: digits, perhaps a unit, and like the servers whatever follows the unit. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d+)([KMGTPE]?)/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (unit ? 2 ** (10 * (UNITS.indexOf(unit.toUpperCase()) + 1)) : 1);
}
