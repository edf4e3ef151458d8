import { describe, expect, it, vi } from "vitest";
import type { InventoryView } from "../../src/contract/inventory-view.ts";
import type { RunEvent } from "../../src/engine/events.ts";
import type { WaveRules } from "../../src/waves.ts";
import { tellTime } from "../told-time.ts";
import { serviceStep, serving } from "./world/service-step.ts";
import { valueStep, type World } from "./world/world.ts";

vi.mock("node:timers/promises", () => import("../told-sleep.ts"));
tellTime();

// Whole runs, which wait between looks; some of them in a real shell.
vi.setConfig({ testTimeout: 300_000 });

/** A service whose change restarts it. */
function restarting(want: string) {
  const step = serviceStep(want);
  return serviceStep(want, {
    assess(self, fleet) {
      const { readings, changes } = step.assess(self, fleet);
      const disrupts = { kind: "restart", what: "service" } as const;
      return { readings, changes: changes.map((change) => ({ ...change, disrupts })) };
    },
    settle: { deadlineMs: 20_000, stableMs: 0 },
  });
}

const served = (world: World, want: string) =>
  world.hosts.filter((host) => world.read(host, "log").includes(`serve ${want}`));
/** Hosts in the order in which their changes were begun, those of one wave together. */
function wavesOf(world: World): string[] {
  const waves: string[][] = [];
  let isEnded = true;
  for (const event of world.events) {
    if (event.event === "changing") {
      if (isEnded) waves.push([]);
      waves.at(-1)!.push(event.host);
    }
    if (event.event === "changing" || event.event === "changed") isEnded = event.event === "changed";
  }
  return waves.map((hosts) => hosts.sort().join(" "));
}

describe.concurrent("changes that disrupt a service", () => {
  it("are made on one host first, then on a quarter, then on the rest", async () => {
    const world = serving("a", "b", "c", "d", "e", "f", "g", "h");
    expect(await world.run("provision", [restarting("new")])).toBe(0);
    expect(wavesOf(world)).toEqual(["a", "b c", "d e f g h"]);
    expect(world.events.find(({ event }) => event === "waves")).toEqual({
      event: "waves",
      step: "service",
      waves: [["a"], ["b", "c"], ["d", "e", "f", "g", "h"]],
      holdMs: 0,
    });
  });

  it("that break the first host are made on no other, and end the run", async () => {
    const world = serving("a", "b", "c", "d");
    const steps = [restarting("refused"), valueStep()];
    expect(await world.run("provision", steps)).toBe(1);
    expect(served(world, "refused")).toEqual(["a"]);
    expect(world.read("a", "log")).toBe("serve refused\nserve old\n");
    for (const host of ["b", "c", "d"]) {
      expect(world.read(host, "log")).toBe("");
      expect(world.outcome(host)).toMatchObject({
        is: "failed",
        because: "service: left as it is: a failed, and no host may (max_fail)",
        changed: [],
        unproven: [],
      });
    }
    expect(world.events).toContainEqual({
      event: "note",
      text: "The run stops here: service: a failed, and no host may (max_fail); not begun: value.",
    });
  });

  it.each<[string, WaveRules, string[]]>([
    ["more failures are taken", { maxFail: 1 }, ["a", "b"]],
    ["the first wave is larger", { serial: [3, "100%"] }, ["a", "b", "c"]],
    ["all go at once", { serial: ["100%"], maxFail: 9 }, ["a", "b", "c", "d"]],
  ])("break more where %s", async (_, rules, broken) => {
    const world = serving("a", "b", "c", "d");
    expect(await world.run("provision", [restarting("refused")], { rules })).toBe(1);
    expect(served(world, "refused")).toEqual(broken);
  });

  it("go everywhere at once where nothing is disrupted", async () => {
    const world = serving("a", "b", "c", "d");
    expect(
      await world.run("provision", [serviceStep("new", { settle: { deadlineMs: 20_000, stableMs: 0 } })]),
    ).toBe(0);
    expect(wavesOf(world)).toEqual(["a b c d"]);
    expect(world.events.some(({ event }) => event === "waves")).toBe(false);
  });

  it("are told of by a plan, which makes none", async () => {
    const world = serving("a", "b", "c");
    expect(await world.run("plan", [restarting("new")])).toBe(2);
    expect(world.events.find(({ event }) => event === "waves")).toMatchObject({
      waves: [["a"], ["b"], ["c"]],
    });
    expect(served(world, "new")).toEqual([]);
  });
});

/**
 * The mesh as host "d" tells of it: a part that is well while its file `mesh` says so. What a service does to it is told by
 * `harm`, which runs whenever the parts are asked for.
 */
function telling(world: World, harm: () => void = () => {}, shownAfterMs = 0) {
  return valueStep({
    name: "mesh",
    assess: () => ({ readings: [], changes: [] }),
    vitals: ({ directory }, { live }) => {
      if (directory.endsWith("/d")) harm();
      const text = world.has("d", "mesh") ? world.read("d", "mesh") : live;
      if (!directory.endsWith("/d")) return { is: "read", of: new Map(), shownAfterMs: 0 };
      if (text === "unread") return { is: "unread", because: "no answer" };
      // Whom it is about is told by its address: a folder here.
      const server = { instance: undefined, address: directory.replace(/d$/, "a") };
      const vital =
        text === "harmed"
          ? ({ is: "bad", because: "is DOWN", server } as const)
          : ({ is: "well", server } as const);
      return { is: "read", of: new Map([["server x", vital]]), shownAfterMs };
    },
  });
}

const short = { deadlineMs: 1_500, stableMs: 0 };
const gates = (world: World) =>
  world.events.flatMap((event) => (event.event === "gate" ? [`${event.is} ${event.wave.join(" ")}`] : []));
/** As soon as a host serves what is new, the mesh is worse, until it serves the old again. */
const harmedBy = (world: World, host: string) => () =>
  world.put("d", "mesh", world.read(host, "live").trim() === "new" ? "harmed" : "");

describe.concurrent("a gate after each wave", () => {
  it("lets the next wave begin while the mesh is as it was", async () => {
    const world = serving("a", "b", "c", "d");
    expect(await world.run("provision", [restarting("new"), telling(world)])).toBe(0);
    expect(gates(world)).toEqual(["passed a", "passed b", "passed c d"]);
  });

  it("is none where nothing is disrupted", async () => {
    const world = serving("a", "d");
    const step = serviceStep("new", { settle: short });
    expect(await world.run("provision", [step, telling(world)])).toBe(0);
    expect(gates(world)).toEqual([]);
  });

  it("stops the run when a host that is fine itself harms the mesh, and puts it back", async () => {
    const world = serving("a", "b", "c", "d");
    const steps = [
      { ...restarting("new"), settle: short },
      telling(world, harmedBy(world, "a")),
      valueStep(),
    ];
    expect(await world.run("provision", steps)).toBe(1);
    expect(gates(world)).toEqual(["failed a"]);
    expect(world.events.find(({ event }) => event === "gate")).toMatchObject({
      step: "service",
      lookedAt: ["a", "b", "c", "d"],
      worse: [{ host: "d", step: "mesh", what: "server x", is: "bad", because: "is DOWN" }],
      notCompared: [],
    });
    expect(world.read("a", "log")).toBe("serve new\nserve old\n");
    expect(world.outcome("a")).toMatchObject({ is: "failed", changed: [], unproven: [{ putBack: true }] });
    expect(world.outcome("a").because).toContain(
      "service: the mesh is worse than before this wave: server x is DOWN on d; the old configuration was put back",
    );
    for (const host of ["b", "c", "d"]) {
      expect(world.read(host, "log")).toBe("");
      expect(world.outcome(host)).toMatchObject({
        is: "failed",
        because: "service: left as it is: the mesh is worse since a was changed: server x is DOWN on d",
        changed: [],
        unproven: [],
      });
    }
    const notes = world.events.flatMap((event) => (event.event === "note" ? [event.text] : []));
    expect(notes).toEqual([
      "service: run the old one again: a; were not touched: b, c, d.",
      "With the old configuration the mesh is as it was before the wave.",
      "The run stops here: service: the mesh is worse since a was changed: server x is DOWN on d; not begun: mesh, value.",
    ]);
  });

  it("keeps what earlier waves made, and says who runs it", async () => {
    const world = serving("a", "b", "c", "d");
    const steps = [{ ...restarting("new"), settle: short }, telling(world, harmedBy(world, "b"))];
    expect(await world.run("provision", steps, { rules: { maxFail: 9 } })).toBe(5);
    expect(gates(world)).toEqual(["passed a", "failed b"]);
    expect(world.outcome("a")).toMatchObject({ is: "as wanted", changed: [{ step: "service" }] });
    expect(world.events).toContainEqual({
      event: "note",
      text: "service: run the new configuration: a; run the old one again: b; were not touched: c, d.",
    });
  });

  it("waits for what comes right by itself", async () => {
    const world = serving("a", "d");
    let looks = 0;
    const harm = () => {
      const isNew = world.read("a", "live").trim() === "new";
      if (isNew) looks += 1;
      world.put("d", "mesh", isNew && looks < 3 ? "harmed" : "");
    };
    expect(await world.run("provision", [restarting("new"), telling(world, harm)])).toBe(0);
    expect(gates(world)).toEqual(["passed a", "passed d"]);
    expect(world.events).toContainEqual({
      event: "waiting",
      host: "a",
      step: "service",
      because: "the mesh is worse than before this wave: server x is DOWN on d",
    });
  });

  it("fails when what told of the mesh is not read any more, and says so", async () => {
    const world = serving("a", "d");
    const unread = () => world.put("d", "mesh", world.read("a", "live").trim() === "new" ? "unread" : "");
    const steps = [{ ...restarting("new"), settle: short }, telling(world, unread)];
    expect(await world.run("provision", steps)).toBe(1);
    expect(world.outcome("a").because).toContain(
      "mesh was read before the wave and is not now: no answer on d",
    );
  });

  it("passes over what was not read before, and says so", async () => {
    const world = serving("a", "d");
    world.put("d", "mesh", "unread");
    expect(await world.run("provision", [restarting("new"), telling(world)])).toBe(0);
    expect(world.events.find(({ event }) => event === "gate")).toMatchObject({
      is: "passed",
      notCompared: [{ host: "d", step: "mesh", because: "no answer" }],
    });
  });

  it.each([
    ["harmed", "server x is DOWN on d"],
    ["unread", "mesh was read before the wave and is not now: no answer on d"],
  ])(
    "begins no wave while the mesh is worse than it was in the step, and puts nothing back: %s",
    async (how, found) => {
      const world = serving("a", "b", "d");
      const late = () => world.put("d", "mesh", gates(world).includes("passed a") ? how : "");
      const steps = [{ ...restarting("new"), settle: short }, telling(world, late)];
      expect(await world.run("provision", steps)).toBe(5);
      expect(gates(world)).toEqual(["passed a", "failed b"]);
      expect(world.events.filter(({ event }) => event === "gate")).toMatchObject([
        { begun: true },
        { begun: false, worse: [{ host: "d", step: "mesh" }] },
      ]);
      expect(world.read("a", "log")).toBe("serve new\n");
      expect(served(world, "new")).toEqual(["a"]);
      expect(world.outcome("a")).toMatchObject({ is: "as wanted", changed: [{ step: "service" }] });
      const why = `before b was changed the mesh had become worse: ${found}`;
      for (const host of ["b", "d"])
        expect(world.outcome(host)).toMatchObject({
          is: "failed",
          because: `service: left as it is: ${why}`,
        });
      const notes = world.events.flatMap((event) => (event.event === "note" ? [event.text] : []));
      expect(notes).toEqual([
        "service: run the new configuration: a; were not touched: b, d.",
        `The run stops here: service: ${why}; not begun: mesh.`,
      ]);
    },
  );

  it("begins the next wave when the mesh is as it was again", async () => {
    const world = serving("a", "b", "d");
    let looks = 0;
    const late = () => {
      const isLate = gates(world).includes("passed a");
      if (isLate) looks += 1;
      world.put("d", "mesh", isLate && looks < 4 ? "harmed" : "");
    };
    expect(await world.run("provision", [restarting("new"), telling(world, late)])).toBe(0);
    expect(gates(world)).toEqual(["passed a", "passed b", "passed d"]);
    expect(world.events).toContainEqual({
      event: "waiting",
      host: "b",
      step: "service",
      because: "the mesh is worse than it was in this step: server x is DOWN on d",
    });
  });

  it("begins none when the run is told to stop while it waits for the mesh", async () => {
    const world = serving("a", "b", "d");
    const stop = new AbortController();
    let looks = 0;
    const late = () => {
      const isLate = gates(world).includes("passed a");
      if (isLate) looks += 1;
      if (looks > 1) stop.abort();
      world.put("d", "mesh", isLate ? "harmed" : "");
    };
    await world.run("provision", [restarting("new"), telling(world, late)], { stop: stop.signal });
    expect(gates(world)).toEqual(["passed a"]);
    expect(served(world, "new")).toEqual(["a"]);
    for (const host of ["b", "d"]) expect(world.outcome(host)).toMatchObject({ is: "interrupted" });
  });

  it("takes blips for what they are however long the mesh is watched, and says each once", async () => {
    const world = serving("a", "d");
    let looks = 0;
    const blinks = () => {
      const isNew = world.read("a", "live").trim() === "new";
      if (isNew) looks += 1;
      world.put("d", "mesh", isNew && looks % 2 === 1 ? "harmed" : "");
    };
    const steps = [{ ...restarting("new"), settle: short }, telling(world, blinks)];
    await world.run("provision", steps, { rules: { holdMs: 6_000 }, limit: (host) => host === "a" });
    expect(gates(world)).toEqual(["passed a"]);
    expect(world.events.filter(({ event }) => event === "waiting")).toHaveLength(2);
  });

  it("leaves sound hosts of a wave as they are when what is worse is of one that failed", async () => {
    const world = serving("a", "b", "c", "d");
    const isFailed = () => world.events.some((event) => event.event === "failed" && event.host === "a");
    const harm = () => world.put("d", "mesh", isFailed() ? "harmed" : "");
    const service: ReturnType<typeof serviceStep> = {
      ...restarting("new"),
      settle: short,
      desired: (_, { name, address }) => ({ directory: address, want: name === "a" ? "refused" : "new" }),
    };
    const rules = { serial: [2], maxFail: 1 };
    await world.run("provision", [service, telling(world, harm)], { rules });
    expect(gates(world)).toEqual(["failed a b"]);
    expect(world.read("a", "log")).toBe("serve refused\nserve old\n");
    expect(world.read("b", "log")).toBe("serve new\n");
    expect(world.outcome("b")).toMatchObject({ is: "as wanted", changed: [{ step: "service" }] });
    for (const host of ["c", "d"])
      expect(world.outcome(host)).toMatchObject({
        because: "service: left as it is: a failed, and the mesh is worse for it: server x is DOWN on d",
        changed: [],
      });
    expect(world.events).toContainEqual({
      event: "note",
      text: "service: run the new configuration: b; run the old one again: a; were not touched: c, d.",
    });
  });

  it("says once when nobody tells of a server, though the mesh has services", async () => {
    const world = serving("a", "b", "d");
    const services = [{ name: "api" }] as unknown as InventoryView["mesh"]["services"];
    const inventory = { ...world.inventory, mesh: { ...world.inventory.mesh, services } };
    const isBlind = (event: RunEvent) =>
      event.event === "note" && event.text.includes("no server is in HAProxy");
    expect(await world.run("provision", [restarting("new")], { inventory })).toBe(0);
    expect(world.events.filter(isBlind)).toEqual([
      {
        event: "note",
        text: "service: no server is in HAProxy on the hosts that are looked at, so the gates prove nothing of the backends. Either none is registered yet, or -l or --steps leaves out the proxies.",
      },
    ]);
    expect(await world.run("provision", [restarting("newer"), telling(world)], { inventory })).toBe(0);
    expect(gates(world)).toHaveLength(3);
    expect(world.events.filter(isBlind)).toEqual([]);
  });

  it("is told by a plan where the mesh is watched for longer, also of one host", async () => {
    const world = serving("a");
    expect(await world.run("plan", [restarting("new")], { rules: { holdMs: 30_000 } })).toBe(2);
    expect(world.events.find(({ event }) => event === "waves")).toMatchObject({
      waves: [["a"]],
      holdMs: 30_000,
    });
  });

  it("watches the mesh for as long as it is told to: what goes wrong late fails it", async () => {
    const world = serving("a", "b", "d");
    let looks = 0;
    const harm = () => {
      const isNew = world.read("a", "live").trim() === "new";
      if (isNew) looks += 1;
      world.put("d", "mesh", isNew && looks > 2 ? "harmed" : "");
    };
    const steps = [{ ...restarting("new"), settle: short }, telling(world, harm)];
    expect(await world.run("provision", steps, { rules: { holdMs: 60_000 } })).toBe(1);
    expect(gates(world)).toEqual(["failed a"]);
    expect(served(world, "new")).toEqual(["a"]);
  });

  it("watches from its beginning for as long as a health check takes to fail, however long the change took", async () => {
    const world = serving("a", "b", "d");
    let looks = 0;
    const isSettled = () => looks > 1 && !world.read("a", "log").endsWith("serve old\n");
    const harm = () => {
      if (world.read("a", "live").trim() === "new") looks += 1;
      world.put("d", "mesh", isSettled() ? "harmed" : "");
    };
    const settle = { deadlineMs: 1_500, stableMs: 4_000 };
    const steps = [{ ...restarting("new"), settle }, telling(world, harm, 4_000)];
    await world.run("provision", steps);
    expect(gates(world)).toEqual(["failed a"]);
    expect(world.read("a", "log")).toBe("serve new\nserve old\n");
  });

  it("ends when the run is told to stop, and leaves what came into force", async () => {
    const world = serving("a", "b", "d");
    const stop = new AbortController();
    const harm = () => {
      if (world.read("a", "live").trim() === "new") stop.abort();
    };
    await world.run("provision", [restarting("new"), telling(world, harm)], {
      rules: { holdMs: 60_000 },
      stop: stop.signal,
    });
    expect(gates(world)).toEqual(["passed a"]);
    expect(world.read("a", "log")).toBe("serve new\n");
    expect(served(world, "new")).toEqual(["a"]);
    expect(world.outcome("b")).toMatchObject({ is: "interrupted" });
  });
});
