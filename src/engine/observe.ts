import type { HostFacts } from "../contract/host.ts";
import type { StepName } from "../contract/names.ts";
import { isAway } from "../errors.ts";
import { heldUpMs } from "../own-time.ts";
import { NotRead } from "../reader/answer.ts";
import { lookThrough } from "../reader/look.ts";
import { Reader } from "../reader/reader.ts";
import { bootOf, bootPaths } from "./boot.ts";
import { clockOf, lookAtHost } from "./host-facts.ts";
import { lookAt } from "./look.ts";
import { quickestClock } from "./quickest-clock.ts";
import type { AnsweringReader } from "./readers.ts";
import type { LookRequest, StepFacts } from "./step-facts.ts";

/** What one look at a host gave. */
export type Observation =
  | {
      readonly is: "seen";
      readonly host: HostFacts;
      readonly facts: ReadonlyMap<StepName, StepFacts>;
    }
  | { readonly is: "unseen"; readonly error: Error };

/**
 * Looks at a host: facts of the host and of every step asked for. `rewritten`: files that services of any step write as they
 * run. Changes nothing. Never throws.
 */
export async function observe(
  reader: AnsweringReader,
  requests: readonly LookRequest[],
  rewritten: readonly string[] = [],
): Promise<Observation> {
  const heldUpBeforeMs = heldUpMs().totalMs;
  try {
    // All that counts was read by then: a clock that is not answered any more takes nothing of it away.
    const again = async () => {
      try {
        return clockOf(await new Reader(lookThrough(reader)).clock());
      } catch (error) {
        if (error instanceof NotRead || isAway(error)) return undefined;
        throw error;
      }
    };
    const { first, last, facts } = await lookAt(reader, requests, {
      first: lookAtHost,
      last: (reader, { manifest }, read) =>
        Promise.all([reader.clock(), reader.bootChanges(bootPaths(read, manifest.keys(), rewritten))]),
    });
    const { bootRecords, ...host } = first;
    const [clock, changes] = last;
    const boot = bootOf(host.bootId, bootRecords, changes, rewritten);
    return {
      is: "seen",
      host: {
        ...host,
        clock: await quickestClock(clockOf(clock), again, () => heldUpMs().totalMs, heldUpBeforeMs),
        boot,
      },
      facts,
    };
  } catch (error) {
    // That the connection was lost says more than what was not read for it.
    const lost = error instanceof NotRead && error.cause instanceof Error ? error.cause : undefined;
    return { is: "unseen", error: lost ?? (error as Error) };
  }
}

/** Runs `work` for every item, at most `limit` at once. Rejects with the first error after all have ended. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  const workers = Array.from({ length: Math.min(limit, queue.length) }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  });
  const ended = await Promise.allSettled(workers);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}
