import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FaultyRemote, guardAgainstFaults } from "../../src/cli/fault.ts";
import { HostLost } from "../../src/errors.ts";
import { blaming } from "../../src/remote/blame.ts";
import type { Remote } from "../../src/remote/remote.ts";

let said = "";
let stops = 0;
let unguard: () => void;
let others: NodeJS.UncaughtExceptionListener[];

beforeEach(() => {
  [said, stops] = ["", 0];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
  // The test runner's own would fail the run for what is thrown here.
  others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  unguard = guardAgainstFaults(() => {
    stops += 1;
  });
});

afterEach(() => {
  unguard();
  for (const listener of others) process.on("uncaughtException", listener);
  vi.restoreAllMocks();
});

/** A session that never answers; what it starts throws by itself, outside of every promise, if it is told to. */
function silent(host: string, throws: boolean) {
  let ends = 0;
  const remote: Remote = {
    host,
    execs: 1,
    run: () => {
      if (throws)
        setTimeout(
          () =>
            setImmediate(() => {
              throw new Error(`of ${host}`);
            }),
          10,
        );
      return new Promise(() => {});
    },
    hold: () => new Promise(() => {}),
    talk: () => new Promise(() => {}),
    anew: () => remote,
    end: async () => {
      ends += 1;
    },
  };
  return { remote: new FaultyRemote(remote), ends: () => ends };
}

const options = { during: "a change", timeoutMs: 1000 };

describe("a fault of meshctl that nothing caught", () => {
  it("fails the host in whose session it came up, with all that is under way there, and no other", async () => {
    const [a, b] = [silent("a", true), silent("b", false)];
    const other = b.remote.run("", options);
    const lock = a.remote.hold("", { ...options, during: "the lock" });
    const lost = await Promise.allSettled([a.remote.run("", options), lock]);
    expect(lost).toMatchObject([
      { reason: { message: "a change: the connection was given up: a fault of meshctl: of a" } },
      { reason: { message: "the lock: the connection was given up: a fault of meshctl: of a" } },
    ]);
    for (const end of lost) expect("reason" in end && end.reason).toBeInstanceOf(HostLost);
    expect([a.ends(), b.ends(), stops]).toEqual([1, 0, 0]);
    expect(await Promise.race([other, sleep(50, "is under way")])).toBe("is under way");
    expect(said).toContain("A fault of meshctl in the session with a: Error: of a");
  });

  it("fails the host of whose stream it is, whoever else is talked with", async () => {
    const [a, b] = [silent("a", false), silent("b", false)];
    const talk = { ...options, onOutput: () => {}, giveWay: () => {} };
    const [of, other] = [a, b].map(({ remote }) => remote.talk("", talk));
    const [jumpHost, stream] = ["b", "a"].map((host) => blaming(new EventEmitter(), host));
    jumpHost!.on("data", () => stream!.emit("data"));
    stream!.on("data", () => {
      throw new Error("of a");
    });
    setImmediate(() => jumpHost!.emit("data"));
    await expect(of).rejects.toThrow("a change: the connection was given up: a fault of meshctl: of a");
    expect([a.ends(), b.ends(), stops]).toEqual([1, 0, 0]);
    expect(await Promise.race([other, sleep(50, "is under way")])).toBe("is under way");
    expect(said).toContain("A fault of meshctl in the session with a: Error: of a");
  });

  it("stops the run when it is no host's", async () => {
    setTimeout(() => {
      throw new Error("of nobody");
    });
    await vi.waitFor(() => expect(stops).toBe(1));
    expect(said).toContain("A fault of meshctl: Error: of nobody");
  });
});
