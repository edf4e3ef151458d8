import { afterEach, describe, expect, it, vi } from "vitest";
import { untilSettled } from "../../src/engine/settle.ts";
import { tellTime } from "../told-time.ts";
import { serviceStep, serving } from "./world/service-step.ts";
import { valueStep, World } from "./world/world.ts";

vi.mock("node:timers/promises", () => import("../told-sleep.ts"));
tellTime();

// Whole runs, which wait between looks; some of them in a real shell.
vi.setConfig({ testTimeout: 300_000 });

afterEach(() => vi.restoreAllMocks());

const RUN = "20261122-190312-4f2a";
const settle = { deadlineMs: 100, stableMs: 0 };
const step = (needs: "self" | "all") => serviceStep("late", { settle, needs });

/** From now on a look at the host takes longer than the step lets a change take. */
function slowDown(world: World, host: string): void {
  world.remote(host).delay = (during) =>
    during === "observation"
      ? new Promise((resolve) => setTimeout(resolve, 2 * settle.deadlineMs))
      : undefined;
}

const putBacks = (world: World) => world.events.filter(({ event }) => event === "putting-back");

describe.concurrent("a peer whose looks take longer than a change may", () => {
  it.each(["self", "all"] as const)("takes no time from a healthy host: %s", async (needs) => {
    const world = serving("a", "b");
    slowDown(world, "b");
    expect(await world.run("provision", [step(needs)], { limit: (host) => host === "a" })).toBe(0);
    expect(putBacks(world)).toEqual([]);
    expect(world.read("a", "log")).toBe("serve late\n");
    expect(world.outcome("a")).toMatchObject({ is: "as wanted", unproven: [] });
  });

  it("takes none also where it is changed in the same wave", async () => {
    const world = serving("a", "b");
    slowDown(world, "b");
    expect(await world.run("provision", [step("all")])).toBe(0);
    expect(putBacks(world)).toEqual([]);
    expect(world.read("a", "log") + world.read("b", "log")).toBe("serve late\nserve late\n");
  });

  it("has its old word against another counted for nothing", async () => {
    const world = serving("a", "b");
    const dying = serviceStep("dies", { settle, needs: "all" });
    /** One that is down is broken when a peer is up, as of an ensemble's member that its peers do without. */
    const health: NonNullable<typeof dying.service>["health"] = ({ state }, self) => {
      if (state === "up") return { is: "healthy" };
      const isUp = self?.fleet.get("b")?.is === "seen";
      return {
        is: isUp ? "broken" : "undecided",
        because: isUp ? "b is up without it" : "b may be down, too",
      };
    };
    let answer = () => {};
    const isOver = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const emit = (event: (typeof world.events)[number]) => {
      world.events.push(event);
      if (event.event === "changing") world.remote("b").delay = () => isOver;
      if (event.event === "failed" || event.event === "putting-back") answer();
    };
    const step = { ...dying, service: { ...dying.service!, health } };
    expect(await world.run("provision", [step], { emit, limit: (host) => host === "a" })).toBe(1);
    expect(putBacks(world)).toEqual([]);
    expect(world.outcome("a").because).toMatch(/b may be down, too. Nothing was put back$/);
  });

  it("takes none while old files are put back", async () => {
    const world = serving("a", "b");
    for (const host of world.hosts) world.put(host, "config", "late");
    expect(await world.run("provision", [serviceStep("new", { settle })])).toBe(0);
    slowDown(world, "b");
    const restored = await world.restore([serviceStep("new", { settle, needs: "all" })], {
      of: RUN,
      run: "20261122-190313-0001",
      limit: (host) => host === "a",
    });
    expect(restored).toBe(0);
    expect(world.read("a", "log")).toBe("serve new\nserve late\n");
  });
});

describe("who is waited for", () => {
  type Seen = readonly [is: "up" | "down", atSeconds: number];

  /** How it ends when looks find this, one after the other, and the deadline is at 60 s; and the looks at it alone. */
  async function endOf(...seen: readonly Seen[]) {
    const startedAtMs = performance.now();
    const left = [...seen];
    let last: Seen["0"] = "down";
    let aloneCount = 0;
    const ends = await untilSettled(["a"], {
      deadlineMs: 60_000,
      look: async (_, isAlone) => {
        if (isAlone) aloneCount += 1;
        const [is, atSeconds] = left.shift()!;
        last = is;
        const atMs = startedAtMs + atSeconds * 1000;
        return { beganAtMs: atMs, endedAtMs: atMs };
      },
      stateOf: () => ({ is: last, isWanted: last === "up", lastsMs: last === "up" ? 5_000 : 30_000 }),
    });
    return { is: ends.get("a")!.is, aloneCount, unseen: left.length };
  }

  it.each<[string, { is: string; aloneCount: number }, ...Seen[]]>([
    ["is there once it has stayed", { is: "up", aloneCount: 0 }, ["down", 1], ["up", 2], ["up", 7.1]],
    [
      "is not while it comes and goes",
      { is: "down", aloneCount: 1 },
      ["up", 1],
      ["down", 4],
      ["up", 20],
      ["down", 35],
      ["down", 36],
    ],
    [
      "may come up at the last look",
      { is: "up", aloneCount: 1 },
      ["down", 1],
      ["down", 32],
      ["up", 33],
      ["up", 39],
    ],
    ["may come up after the deadline", { is: "up", aloneCount: 1 }, ["down", 70], ["up", 71], ["up", 77]],
    ["has no second last look", { is: "down", aloneCount: 1 }, ["down", 70], ["up", 71], ["down", 73]],
  ])("%s", async (_, end, ...seen) => {
    expect(await endOf(...seen)).toEqual({ ...end, unseen: 0 });
  });
});

describe("between two looks", () => {
  /** When looks that take so long begin, in ms, at one that shows what is wanted from the first on and has to stay so. */
  async function begins(lastsMs: number, tookMs: number): Promise<readonly number[]> {
    const startedAtMs = performance.now();
    const begun: number[] = [];
    await untilSettled(["a"], {
      deadlineMs: 60_000,
      look: async () => {
        const beganAtMs = performance.now();
        begun.push(Math.round(beganAtMs - startedAtMs));
        await new Promise((resolve) => setTimeout(resolve, tookMs));
        return { beganAtMs, endedAtMs: performance.now() };
      },
      stateOf: () => ({ is: "up", isWanted: true, lastsMs }),
    });
    return begun;
  }

  it.each([
    ["is seen half-way, and at the end", 6_000, 0, 3],
    ["is seen half-way through what is left of a long time", 20_000, 0, 5],
    ["is seen at the end of what is short", 3_000, 0, 2],
    ["is not asked more than half of the time", 5_000, 2_000, 3],
  ])("what has to stay as it is %s", async (_, lastsMs, tookMs, count) => {
    const begun = await begins(lastsMs, tookMs);
    expect(begun).toHaveLength(count);
    expect(begun.at(-1)! - tookMs).toBeGreaterThanOrEqual(lastsMs);
    for (const [at, each] of begun.entries())
      if (at > 0) expect(each - begun[at - 1]!).toBeGreaterThanOrEqual(2 * tookMs);
  });
});

it("gives a host up only after one more look, at it alone", async () => {
  const world = serving("a");
  // Past its deadline from the start.
  const late = serviceStep("late", { settle: { deadlineMs: 0, stableMs: 0 } });
  expect(await world.run("provision", [late])).toBe(0);
  expect(world.read("a", "log")).toBe("serve late\n");
});

describe("a step of this machine's clock between two looks", () => {
  it.each([
    ["forward, before the change shows", 3_600_000, 1],
    ["back, while it has to stay so", -3_600_000, 3],
  ])("%s, decides nothing", async (_, stepMs, afterLooks) => {
    const world = serving("a");
    const now = Date.now;
    let aheadMs = 0;
    vi.spyOn(Date, "now").mockImplementation(() => now() + aheadMs);
    const { during } = world.remote("a");
    world.remote("a").faultAfter = () => {
      const looks = during.includes("settings") ? during.length - 1 - during.indexOf("settings") : 0;
      if (looks >= afterLooks) aheadMs = stepMs;
      return undefined;
    };
    const late = serviceStep("late", { settle: { deadlineMs: 30_000, stableMs: 1_000 } });
    expect(await world.run("provision", [late])).toBe(0);
    expect(aheadMs).toBe(stepMs);
    expect(putBacks(world)).toEqual([]);
    expect(world.read("a", "log")).toBe("serve late\n");
  });
});

describe("a wave", () => {
  const first = (waiting: readonly string[]) => waiting.slice(0, 1);

  it("begins with a look at its hosts: what was closed meanwhile is left alone", async () => {
    const world = new World("a", "b");
    const emit = (event: (typeof world.events)[number]) => {
      world.events.push(event);
      if (event.event === "changed") for (const name of ["disk", "live"]) world.put("b", name, "new");
    };
    expect(await world.run("provision", [valueStep({ next: first })], { emit })).toBe(0);
    expect(world.story).toEqual(["changing a write", "changed a write"]);
  });

  it.each([
    ["all", "changed meanwhile"],
    ["self", "old"],
  ] as const)("of a step that needs %s is decided by peers that are %s", async (needs, state) => {
    const world = new World("a", "b", "peer");
    let seen = "";
    const step = valueStep({
      needs,
      next(waiting, fleet) {
        const peer = fleet.get("peer")!;
        seen = peer.is === "seen" ? peer.facts.live : peer.because;
        return first(waiting);
      },
    });
    const emit = (event: (typeof world.events)[number]) => {
      world.events.push(event);
      if (event.event === "changed" && event.host === "a") world.put("peer", "live", "changed meanwhile");
    };
    expect(await world.run("provision", [step], { emit, limit: (host) => host !== "peer" })).toBe(0);
    expect(seen).toBe(state);
  });
});

it("sees peers come right that a host's evidence goes by, also when nothing is to be changed", async () => {
  const world = new World("a", "peer");
  for (const name of ["disk", "live"]) world.put("a", name, "new");
  world.remote("peer").faultAfter = () => {
    world.put("peer", "live", "new");
    return undefined;
  };
  const step = valueStep({
    needs: "all",
    assess(self, fleet) {
      const peer = fleet.get("peer")!;
      const [row] = valueStep().assess(self, fleet).readings;
      const value = peer.is === "seen" ? peer.facts.live : peer.because;
      const inForce = { is: "read", value, source: "the peer" } as const;
      const { closedBy: _, ...reading } = { ...row!, inForce };
      return { readings: [reading], changes: [] };
    },
  });
  expect(await world.run("provision", [step], { limit: (host) => host === "a" })).toBe(0);
});

const looksAt = (world: World, host: string): number =>
  world.remote(host).during.filter((word) => word === "observation").length;

describe("a host that needs no change", () => {
  it.each([
    ["at first and at the end, where a step's change shows on its own host alone", true, 2],
    ["also at the next step, where it may show on others", undefined, 3],
  ] as const)("is looked at %s", async (_, alone, count) => {
    const world = new World("a", "idle");
    for (const name of ["disk", "live"]) world.put("idle", name, "new");
    const own = alone === undefined ? {} : { alone };
    expect(await world.run("provision", [valueStep(own), valueStep({ name: "next" })])).toBe(0);
    expect(looksAt(world, "idle")).toBe(count);
  });

  it("is looked at by the next step where it was itself changed before", async () => {
    const world = new World("a", "b");
    expect(await world.run("provision", [valueStep({ alone: true }), valueStep({ name: "next" })])).toBe(0);
    // At first, once it is locked, after its change, at the next step, and at the end.
    expect([looksAt(world, "a"), looksAt(world, "b")]).toEqual([5, 5]);
  });
});

describe("a change that goes from host to host", () => {
  const looksAtEach = async (count: number): Promise<number> => {
    const world = new World(...Array.from({ length: count }, (_, index) => `h${index}`));
    const oneByOne = valueStep({ next: (waiting) => waiting.slice(0, 1) });
    expect(await world.run("provision", [oneByOne])).toBe(0);
    return world.hosts.reduce((sum, host) => sum + looksAt(world, host), 0) / count;
  };

  it.each([4, 8, 12])("costs each of %i hosts five looks", async (count) => {
    // At first, once it is locked, before its turn, after its change, and at the end.
    expect(await looksAtEach(count)).toBeLessThanOrEqual(5);
  });
});
