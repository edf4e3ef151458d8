import { setTimeout as sleep } from "node:timers/promises";
import { propertiesOf } from "../daemon/look-at-units.ts";
import { readThere } from "../reader/answer.ts";
import type { Reader } from "../reader/reader.ts";

const MOST_LOOKS = 11;
const PAUSE_MS = 500;
/** None begins later. */
const MOST_MS = 8_000;

/**
 * What a program brings about, looked at again for a while where it is not at rest: while the registry or a service moves,
 * one that runs is behind it by a second or two. Throws NotRead.
 */
export async function lookUntilAtRest<Found>(
  reader: Reader,
  unit: string,
  look: (asking: Reader) => Promise<Found>,
  isAtRest: (found: Found) => boolean,
): Promise<Found> {
  const startedAt = performance.now();
  const isRunning = propertiesOf(reader, unit).then(
    (answer) => Number(readThere(answer, unit).get("MainPID")?.[0] ?? 0) !== 0,
  );
  let asking = reader;
  for (let count = 1; ; count++) {
    const [found, isPatient] = await Promise.all([look(asking), isRunning]);
    const isLast = count === MOST_LOOKS || performance.now() - startedAt > MOST_MS;
    const again = isLast || !isPatient || isAtRest(found) ? undefined : asking.anew();
    if (again === undefined) return found;
    await sleep(PAUSE_MS);
    asking = again;
  }
}
