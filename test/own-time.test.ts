import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deadline, heldUpMs, turn } from "../src/own-time.ts";

/** Nothing runs meanwhile, and then what is due does: as where another program has the processor. */
function holdUp(ms: number): void {
  now += ms;
}
let now = 0;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate"],
  });
  now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function pass(ms: number): void {
  for (let at = 0; at < ms; at += 10) {
    now += 10;
    vi.advanceTimersByTime(10);
  }
}

describe("a time limit", () => {
  it("is over after its time where this process could listen", () => {
    const expired = vi.fn();
    deadline(1000, expired);
    pass(980);
    expect(expired).not.toHaveBeenCalled();
    pass(40);
    expect(expired).toHaveBeenCalledOnce();
  });

  it("is longer by what this process was held up for, and that is told", () => {
    const before = heldUpMs().totalMs;
    const expired = vi.fn();
    deadline(1000, expired);
    pass(500);
    holdUp(5000);
    pass(980);
    expect(expired).not.toHaveBeenCalled();
    pass(4600);
    expect(expired).toHaveBeenCalledOnce();
    expect(heldUpMs().totalMs - before).toBeGreaterThan(4000);
  });

  it("lets what has come be read first, which may end it", () => {
    const expired = vi.fn();
    const limit = deadline(100, expired);
    // Behind the limit's own timer, and before what comes after the sockets.
    setTimeout(() => limit.clear(), 100);
    pass(1000);
    expect(expired).not.toHaveBeenCalled();
  });

  it("never expires once it was cleared", () => {
    const expired = vi.fn();
    deadline(100, expired).clear();
    pass(1000);
    expect(expired).not.toHaveBeenCalled();
  });
});

describe("a turn of the event loop", () => {
  /** Who has had its turn. */
  const had: string[] = [];
  const ask = (...names: string[]) => {
    for (const name of names) void turn().then(() => had.push(name));
  };
  const settle = async () => {
    for (let each = 0; each < 10; each++) await Promise.resolve();
  };
  beforeEach(() => void had.splice(0));

  it("is had at once by who asks alone", async () => {
    ask("a");
    await settle();
    expect(had).toEqual(["a"]);
    vi.runAllTimers();
  });

  it("is had by one after the other, and by whoever comes meanwhile behind them", async () => {
    ask("a", "b", "c");
    await settle();
    expect(had).toEqual(["a"]);
    vi.advanceTimersToNextTimer();
    await settle();
    expect(had).toEqual(["a", "b"]);
    ask("d");
    for (const all of [
      ["a", "b", "c"],
      ["a", "b", "c", "d"],
    ]) {
      await settle();
      vi.advanceTimersToNextTimer();
      await settle();
      expect(had).toEqual(all);
    }
    vi.runAllTimers();
    ask("e");
    await settle();
    expect(had.at(-1)).toBe("e");
    vi.runAllTimers();
  });
});
