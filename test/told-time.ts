import { afterAll, beforeAll, vi } from "vitest";

/**
 * A file's tests wait for nothing: when nothing else is under way, the clock goes on to the next timer. Not where a program
 * runs meanwhile. The file has a line beside it, which Vitest finds nowhere else:
 * `vi.mock("node:timers/promises", () => import("PATH/told-sleep.ts"))`.
 */
export function tellTime(): void {
  beforeAll(() => {
    vi.useFakeTimers({
      // What is due at once is due before any time has gone by.
      toFake: [
        ...(["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const),
        ...(["setImmediate", "clearImmediate", "Date", "performance"] as const),
      ],
    });
    vi.setTimerTickMode("nextTimerAsync");
    // What comes later is later, also where no time has gone by.
    const told = performance.now.bind(performance);
    let readings = 0;
    performance.now = () => {
      readings += 1;
      return told() + readings / 1000;
    };
  });
  afterAll(() => void vi.useRealTimers());
}
