import type { UnitFact } from "./unit.ts";
import { HARMLESS_VARIABLE } from "./unit-keys.ts";
import { KEYS, nameOf, type UnitStart, writtenStart } from "./unit-start.ts";

/**
 * Why systemd would start a unit of ours otherwise than its own file, whose text this is: a drop-in, or a namesake
 * that is found first. Undefined when it would not, or when systemd has yet to read the files: then nobody can tell.
 */
export function otherStart(unit: UnitFact, text: string | undefined): string | undefined {
  if (text === undefined || unit.load !== "loaded" || unit.needDaemonReload) return undefined;
  const written = writtenStart(text);
  const start = { ...unit.start, environment: withoutHarmless(unit.start.environment, written.environment) };
  // A file that nothing is read beside cannot be contradicted, however another hand than ours wrote it.
  const isAlone = unit.fragmentPath === `/etc/systemd/system/${unit.name}`;
  const keys = (Object.keys(KEYS) as (keyof UnitStart)[])
    .filter((part) => !isSame(written[part], start[part]))
    .map((part) => KEYS[part])
    .filter((key) => !isAlone || unit.startLines.some((line) => line.key === key));
  if (keys.length === 0) return undefined;
  return `${startPlaces(unit, keys)} sets ${keys.map((key) => `${key}=`).join(", ")} of ${unit.name} otherwise: take it out there`;
}

/** Variables but for those that no service minds and our file says nothing of. */
function withoutHarmless(variables: readonly string[], written: readonly string[]): readonly string[] {
  const own = new Set(written.map(nameOf));
  return variables.filter((text) => own.has(nameOf(text)) || !HARMLESS_VARIABLE.test(nameOf(text)));
}

function isSame(a: string | readonly string[], b: string | readonly string[]): boolean {
  return JSON.stringify([a].flat().toSorted()) === JSON.stringify([b].flat().toSorted());
}

/** Where a unit's files say one of these keys, "PATH:LINE" each; its own file when no drop-in does. */
export function startPlaces(unit: UnitFact, keys: readonly string[]): string {
  const lines = unit.startLines.filter(({ key }) => keys.includes(key));
  return lines.map(({ path, line }) => `${path}:${line}`).join(", ") || unit.fragmentPath || unit.name;
}
