import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { FleetView } from "../../src/engine/fleet.ts";
import { Looks } from "../../src/engine/looks.ts";
import { readThrough } from "../../src/engine/readers.ts";
import { HostUnreachable } from "../../src/errors.ts";
import type { Remote } from "../../src/remote/remote.ts";

let now = 0;
const up: ((error: Error) => void)[] = [];
beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate"],
  });
  now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(async () => {
  // Nothing is left under way of which the next test's clock knows nothing.
  for (const give of up.splice(0)) give(new HostUnreachable("a", "connect", "it is over"));
  await pass(200);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const settle = async () => {
  for (let each = 0; each < 20; each++) await Promise.resolve();
};
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 10) {
    now += 10;
    vi.advanceTimersByTime(10);
    await settle();
  }
}

/** Looks at hosts that never answer; `asked`: those that a look has begun at. */
function silent(hosts: readonly string[], parallel: number): readonly string[] {
  const asked: string[] = [];
  const fleet: Partial<FleetView> = { requests: () => [], rewritten: () => [], see: () => {} };
  const remoteOf = (host: string) => {
    asked.push(host);
    const remote = { host } as Remote;
    const never = () => new Promise<never>((_, reject) => up.push(reject));
    readThrough(remote, () => ({ ask: (questions) => questions.map(never) }));
    return remote;
  };
  const looks = new Looks(fleet as FleetView, remoteOf, {
    parallel,
    touchedAtMs: () => Number.NEGATIVE_INFINITY,
  });
  for (const host of hosts) void looks.at(host, { steps: () => true });
  return asked;
}

it("begins with more than were asked for where hosts are silent, not where this machine has no time to listen", async () => {
  const asked = silent(["a", "b"], 1);
  await pass(1000);
  // Nothing runs meanwhile, and then what is due does.
  now += 5000;
  await pass(3000);
  expect(asked).toEqual(["a"]);
  await pass(6000);
  expect(asked).toEqual(["a", "b"]);
});

it("begins with one host in a turn of the event loop, however many may be looked at at once", async () => {
  const asked = silent(["a", "b", "c"], 3);
  await settle();
  const begun = [asked.join("")];
  while (asked.length < 3) {
    vi.advanceTimersToNextTimer();
    await settle();
    begun.push(asked.join(""));
  }
  expect([...new Set(begun)]).toEqual(["a", "ab", "abc"]);
});
