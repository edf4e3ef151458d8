import { setTimeout as sleep } from "node:timers/promises";
import type { HostFacts } from "../contract/host.ts";

type Clock = HostFacts["clock"];

/** Wider than the way to a host is, mostly: the host or this machine had something else to do. */
const WIDE_MS = 100;
/** More than this tells nothing new of a host that is far away. */
const MOST_CLOCKS = 4;
/** Where this machine was busy it will not be for ever. */
const MOST_CLOCKS_WHILE_BUSY = 8;
const BUSY_PAUSE_MS = 300;

/**
 * The comparison of clocks that a round trip leaves least uncertain; more are made while none is good, after pauses where it
 * was this machine that had no time to listen. `again`: undefined where no more can be had. `heldUp`: how long it had
 * none so far, in milliseconds, of which `beforeMs` before the first comparison.
 */
export async function quickestClock(
  first: Clock,
  again: () => Promise<Clock | undefined>,
  heldUp: () => number,
  beforeMs: number,
): Promise<Clock> {
  let best = first;
  let countedMs = beforeMs;
  for (let made = 1; best.uncertaintyMs > WIDE_MS; made += 1) {
    const heldUpMs = heldUp();
    const wasBusy = heldUpMs > countedMs;
    countedMs = heldUpMs;
    if (made >= (wasBusy ? MOST_CLOCKS_WHILE_BUSY : MOST_CLOCKS)) break;
    if (wasBusy) await sleep(BUSY_PAUSE_MS * made);
    const next = await again();
    if (next === undefined) break;
    if (next.uncertaintyMs < best.uncertaintyMs) best = next;
  }
  return best;
}
