import { setTimeout as sleep } from "node:timers/promises";
import { propertiesOf } from "../daemon/look-at-units.ts";
import { readThere } from "../reader/answer.ts";
import type { Reader } from "../reader/reader.ts";

const PAUSE_MS = 500;
/** What a program has to hear, to write and to bring into force takes it that long. */
export const SOON_MS = 5_500;
/** A look may take longer than the pause: as many are made as fit, and none begins later than by so much. */
const LATE_MS = 2_500;

/**
 * What a program brings about, looked at again for a while where it is not at rest: while the registry or a service moves,
 * one that runs is behind it by a second or two. `restsAfterMs` says how long that may take; 0 where it is at rest. Throws
 * NotRead.
 */
export async function lookUntilAtRest<Found>(
  reader: Reader,
  unit: string,
  look: (asking: Reader) => Promise<Found>,
  restsAfterMs: (found: Found) => number,
): Promise<Found> {
  const startedAt = performance.now();
  const isRunning = propertiesOf(reader, unit).then(
    (answer) => Number(readThere(answer, unit).get("MainPID")?.[0] ?? 0) !== 0,
  );
  let asking = reader;
  for (let count = 1; ; count++) {
    const [found, isPatient] = await Promise.all([look(asking), isRunning]);
    const mostMs = restsAfterMs(found);
    const isLast = count >= mostMs / PAUSE_MS || performance.now() - startedAt > mostMs + LATE_MS;
    const again = isLast || !isPatient ? undefined : asking.anew();
    if (again === undefined) return found;
    await sleep(PAUSE_MS);
    asking = again;
  }
}
