export { showBytes } from "../../quantity-text.ts";

export const MIB = 2 ** 20;
const UNITS = "KMGTPE";

/** A number as option files hold it: digits, perhaps a unit, and like the servers whatever follows the unit. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d+)([KMGTPE]?)/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (unit ? 2 ** (10 * (UNITS.indexOf(unit.toUpperCase()) + 1)) : 1);
}
