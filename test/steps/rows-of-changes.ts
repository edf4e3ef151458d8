import type { Change } from "../../src/contract/change.ts";
import type { Reading } from "../../src/contract/reading.ts";
import { judge } from "../../src/evidence/verdict.ts";

/**
 * Holds that a host is never "as wanted" while something is about to be changed on it. Each step's table tests assess by it.
 */
export function holdRowsOfChanges(
  readings: readonly Reading[],
  changes: readonly Pick<Change, "id">[],
): void {
  const closing = readings.flatMap((reading) =>
    judge(reading).verdict !== "proven" && reading.closedBy !== undefined && "change" in reading.closedBy
      ? [reading.closedBy.change]
      : [],
  );
  if (changes.length === 0 || changes.some(({ id }) => closing.includes(id))) return;
  throw new Error(`no open row is closed by ${changes.map(({ id }) => id).join(", ")}`);
}
