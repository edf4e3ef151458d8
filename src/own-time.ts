/** How often this process looks whether it is held up. */
const TICK_MS = 100;
/** Timers are later than this only where something else had the processor. */
const JITTER_MS = 20;

let heldUp = 0;
let longest = 0;
let tickedAtMs = 0;
let armed = 0;
let ticker: NodeJS.Timeout | undefined;

function tick(): void {
  const now = performance.now();
  const lateMs = now - tickedAtMs - TICK_MS;
  tickedAtMs = now;
  if (lateMs <= JITTER_MS) return;
  heldUp += lateMs;
  longest = Math.max(longest, lateMs);
}

/**
 * How long this process could not listen while anything was waited for, in milliseconds, and the longest of these times:
 * it had too much to do itself, or another program had the processor.
 */
export function heldUpMs(): { readonly totalMs: number; readonly longestMs: number } {
  return { totalMs: heldUp, longestMs: longest };
}

/** A time limit that is under way. */
export interface Deadline {
  clear(): void;
}

/**
 * Calls `expired` after so much time in which this process could listen: that it was held up is no fault of the host that
 * it waits for. What has come by then is read first.
 */
export function deadline(ms: number, expired: () => void): Deadline {
  if (armed === 0) {
    tickedAtMs = performance.now();
    ticker = setInterval(tick, TICK_MS).unref();
  }
  armed += 1;
  let counted = heldUp;
  let isOver = false;
  let immediate: NodeJS.Immediate | undefined;
  const end = () => {
    if (isOver) return;
    isOver = true;
    armed -= 1;
    if (armed === 0) clearInterval(ticker);
  };
  const fire = () => {
    tick();
    const owedMs = heldUp - counted;
    counted = heldUp;
    if (owedMs > 0) timer = setTimeout(fire, owedMs);
    else
      immediate = setImmediate(() => {
        end();
        expired();
      });
  };
  let timer = setTimeout(fire, ms);
  return {
    clear() {
      clearTimeout(timer);
      clearImmediate(immediate);
      end();
    },
  };
}

/** Lets what has come in the meantime be heard, where `sinceMs` (performance.now()) is a while ago. Returns the new moment. */
export async function breathe(sinceMs: number): Promise<number> {
  if (performance.now() - sinceMs < BREATH_MS) return sinceMs;
  await new Promise((resolve) => setImmediate(resolve));
  return performance.now();
}

const BREATH_MS = 10;

const waiting: (() => void)[] = [];
let isTaken = false;

/**
 * Resolves in a turn of the event loop that nobody else has asked for: at once where none has. What many hosts bring at the
 * same time is taken in one host after the other, and whoever waits for anything else is heard between them.
 */
export function turn(): Promise<void> {
  if (isTaken) return new Promise((resolve) => waiting.push(resolve));
  isTaken = true;
  setImmediate(nextTurn);
  return Promise.resolve();
}

function nextTurn(): void {
  const next = waiting.shift();
  isTaken = next !== undefined;
  if (next === undefined) return;
  setImmediate(nextTurn);
  next();
}
