import { setTimeout as sleep } from "node:timers/promises";
import type { LookTimes } from "./looks.ts";
import { inParallel } from "./observe.ts";

/** Between two looks at the same: short at first, as most changes show at once. */
export const SHORTEST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 1000;
/** A host is asked for no more than half of the time, unless its answers take longer than this. */
const LONGEST_REST_MS = 3000;
/** What only has to stay as it is is looked at no more often than this: what fails and comes back by itself tells so later. */
const STAYING_MS = 3000;

/**
 * The least pause after a look that took so long. What is as it should be, and only has to stay so for a while yet, is looked
 * at half-way through that, too.
 */
export function restMs(tookMs: number, staysMs = 0): number {
  // A timer counts whole milliseconds, and may end within the last of them.
  const untilNextMs = staysMs > STAYING_MS ? Math.max(staysMs / 2, STAYING_MS) : Math.ceil(staysMs) + 1;
  return Math.max(Math.min(tookMs, LONGEST_REST_MS), untilNextMs);
}

/** How long a service may be seen broken before nobody waits any longer for its deadline. */
export const BROKEN_MS = 30_000;
/** How long rows that no change closes may take to come right by themselves, as a service that is starting does. */
export const PATIENCE_MS = 30_000;

/** What a look shows of someone who is waited for. */
export interface State {
  /** Equal in two looks as long as it lasts. */
  readonly is: string;
  /** Whether it is what is waited for. */
  readonly isWanted: boolean;
  /** How long it has to last before it is believed: 0 at once, Infinity never. */
  readonly lastsMs: number;
}

interface Settling<K, S extends State> {
  /** How long anything but what is wanted may show. */
  readonly deadlineMs: number;
  readonly stateOf: (key: K) => S;
  /** Never rejects. `isAlone`: held up by no look at others. */
  readonly look: (key: K, isAlone: boolean) => Promise<LookTimes>;
  /** Told each time that one has to be waited for. */
  readonly say?: (key: K, state: S) => void;
  /** True when there is no reason left to wait for anyone. */
  readonly isEnough?: () => boolean;
  /** They have just been looked at: the first look comes after a pause. */
  readonly isJustSeen?: boolean;
}

/**
 * Looks until each shows what is wanted and has shown it for long enough, or shows something else for too long. Each
 * settles by itself, and is judged at the time of its own looks: a peer that is slow to answer takes none of its time.
 * What is not wanted is believed only after one more look at that one alone. Returns how each was seen last.
 */
export async function untilSettled<K, S extends State>(
  keys: Iterable<K>,
  settling: Settling<K, S>,
): Promise<ReadonlyMap<K, S>> {
  const startedAtMs = performance.now();
  const ends = new Map<K, S>();
  // As many at once as there are: how many looks are under way is the looks' own business.
  const all = [...keys];
  await inParallel(all, all.length, async (key) => ends.set(key, await settle(key, startedAtMs, settling)));
  return ends;
}

async function settle<K, S extends State>(
  key: K,
  startedAtMs: number,
  { deadlineMs, stateOf, look, say, isEnough, isJustSeen = false }: Settling<K, S>,
): Promise<S> {
  const shownSinceMs = new Map<string, number>();
  let isDoubted = false;
  let pauseMs = isJustSeen ? LONGEST_PAUSE_MS : SHORTEST_PAUSE_MS;
  let times: LookTimes | undefined = isJustSeen
    ? { beganAtMs: startedAtMs, endedAtMs: startedAtMs }
    : undefined;
  for (;;) {
    const { beganAtMs, endedAtMs } = times ?? (await look(key, false));
    times = undefined;
    const state = stateOf(key);
    // One good look does not end a bad time: what crashes every few seconds is up in between.
    if (!state.isWanted) for (const is of shownSinceMs.keys()) if (is !== state.is) shownSinceMs.delete(is);
    const sinceMs = shownSinceMs.get(state.is) ?? endedAtMs;
    shownSinceMs.set(state.is, sinceMs);
    const isLate = !state.isWanted && beganAtMs - startedAtMs >= deadlineMs;
    const isOver = isLate || Math.max(0, beganAtMs - sinceMs) >= state.lastsMs;
    if (isOver && (state.isWanted || isDoubted)) return state;
    if (isEnough?.()) return state;
    if (isOver) {
      isDoubted = true;
      times = await look(key, true);
      continue;
    }
    say?.(key, state);
    const staysMs = state.isWanted ? sinceMs + state.lastsMs - performance.now() : 0;
    await sleep(Math.max(pauseMs, restMs(endedAtMs - beganAtMs, staysMs)));
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    if (isEnough?.()) return stateOf(key);
  }
}
