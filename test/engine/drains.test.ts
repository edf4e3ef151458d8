import { describe, expect, it, vi } from "vitest";
import type { ScriptCommand } from "../../src/contract/change.ts";
import type { Vital, VitalServer } from "../../src/contract/step.ts";
import { drainable, drainWords, servingIn } from "../../src/engine/drain.ts";
import type { RunEvent } from "../../src/engine/events.ts";
import { serviceStep, serving } from "./world/service-step.ts";
import { set, valueStep, type World } from "./world/world.ts";

// Whole runs, which wait between looks.
vi.setConfig({ testTimeout: 300_000 });

const server = (name: string, more: Partial<VitalServer> = {}): VitalServer => {
  return { service: "api", instance: `${name} of api`, address: `10.0.0.${name}`, ...more };
};
const well = (name: string, more: Partial<VitalServer> = {}): [string, Vital] => {
  return [`server ${name}`, { is: "well", server: server(name, more) }];
};
const down = (name: string): [string, Vital] => {
  return [`server ${name}`, { is: "bad", because: "is DOWN", server: server(name) }];
};

const DRAIN = {
  leave: () => set("", "out") as ScriptCommand,
  rest: set("", "rest") as ScriptCommand,
  enter: set("", "back") as ScriptCommand,
};

describe("the backends of host 1", () => {
  const OWN = ["server 1", "server 1b"];
  const elsewhere = well("1b", { service: "admin" });
  const further: [string, Vital] = ["server 1 (2)", well("1", { further: { of: "server 1", number: 2 } })[1]];

  it.each<
    [string, [string, Vital][], readonly string[], ReturnType<Parameters<typeof drainable>[3]>, string]
  >([
    ["leave where another host serves the same", [well("1"), well("2")], OWN, DRAIN, "drained"],
    ["are none where no proxy has any", [well("2"), well("3")], OWN, DRAIN, "none"],
    [
      "stay where no proxy tells of any",
      [],
      OWN,
      DRAIN,
      "no proxy that is looked at has a server that serves (with --steps or -l fewer are looked at)",
    ],
    ["are none where no registrar is either", [], OWN, undefined, "none"],
    ["are none where they are down already", [down("1"), well("2")], OWN, DRAIN, "none"],
    ["stay where no other host serves it", [well("1")], OWN, DRAIN, "no other host serves api"],
    ["stay where the others are down", [well("1"), down("2")], OWN, DRAIN, "no other host serves api"],
    [
      "stay where the others are sent nothing",
      [well("1"), well("2", { isSpared: true })],
      OWN,
      DRAIN,
      "no other host serves api",
    ],
    [
      "stay where only the host itself serves it twice",
      [well("1"), further],
      OWN,
      DRAIN,
      "no other host serves api",
    ],
    [
      "stay, all of them, where one is alone",
      [well("1"), well("2"), elsewhere],
      OWN,
      DRAIN,
      "no other host serves admin",
    ],
    [
      "stay where others have put them there",
      [well("1"), well("2")],
      [],
      undefined,
      "the registrar has not put api into the mesh",
    ],
    ["stay where it does not run", [well("1"), well("2")], OWN, undefined, "the registrar does not run"],
    [
      "stay where it was not read",
      [well("1"), well("2")],
      OWN,
      { unread: "registrar: no answer" },
      "registrar: no answer",
    ],
  ])("%s", (_, vitals, own, drain, expected) => {
    const health = new Map([
      ["px", new Map([["watcher", { is: "read", of: new Map(vitals), shownAfterMs: 0 } as const]])],
    ]);
    const found = drainable(servingIn(health), new Set(own), "10.0.0.1", () => drain);
    expect("because" in found ? found.because : found.is).toBe(expected);
    expect(drainWords(found) === undefined).toBe(found.is === "none");
  });

  it("may leave for all that a plan knows that has not looked", () => {
    const found = drainable(servingIn(new Map()), new Set(OWN), undefined, () => ({
      unread: "not looked at",
    }));
    expect(drainWords(found)).toMatch(/^the backends of the host may leave the mesh first; that shows when/);
  });

  it("stay where one proxy of several has nobody else's", () => {
    const of = (...vitals: [string, Vital][]) =>
      new Map([["watcher", { is: "read", of: new Map(vitals), shownAfterMs: 0 } as const]]);
    const health = new Map([
      ["px-1", of(well("1"), well("2"))],
      ["px-2", of(well("1"))],
    ]);
    expect(drainable(servingIn(health), new Set(OWN), undefined, () => DRAIN)).toEqual({
      is: "kept",
      because: "no other host serves api",
    });
  });
});

/** A service whose change restarts it, and takes what the host serves away. */
function draining(want: string) {
  const step = serviceStep(want);
  return serviceStep(want, {
    assess(self, fleet) {
      const { readings, changes } = step.assess(self, fleet);
      const disrupts = { kind: "restart", what: "service", drains: true } as const;
      return { readings, changes: changes.map((change) => ({ ...change, disrupts })) };
    },
    settle: { deadlineMs: 20_000, stableMs: 0 },
  });
}

/** Every host serves the same and tells of all: each is in the mesh unless it was set "out". */
function mesh(world: World, { undrained = [] as readonly string[] } = {}) {
  const name = (directory: string) => directory.split("/").at(-1)!;
  return valueStep({
    name: "mesh",
    assess: () => ({ readings: [], changes: [] }),
    vitals: () => ({
      is: "read",
      of: new Map(world.hosts.filter((host) => world.read(host, "disk") !== "out").map((host) => well(host))),
      shownAfterMs: 0,
    }),
    marks: ({ directory }) => new Map([[`server ${name(directory)}`, { is: "own" } as const]]),
    drain: ({ directory }) =>
      undrained.includes(name(directory))
        ? undefined
        : {
            leave: () => set(directory, "out") as ScriptCommand,
            rest: { ...set(directory, "out"), args: [directory, "out"] } as ScriptCommand,
            enter: set(directory, "back") as ScriptCommand,
          },
  });
}

const drainsOf = (world: World) =>
  world.events.flatMap((event) => (event.event === "drain" ? [`${event.host} ${event.is}`] : []));
const LOG = (served: string) => `set out\nset out\n${served}set back\n`;

describe.concurrent("a change that drains", () => {
  it("is made on one host after the other, each out of the mesh before and back in it after", async () => {
    const world = serving("1", "2", "3", "4", "5", "6");
    expect(await world.run("provision", [draining("new"), mesh(world)])).toBe(0);
    for (const host of world.hosts) expect(world.read(host, "log")).toBe(LOG("serve new\n"));
    expect(drainsOf(world)).toEqual(world.hosts.flatMap((host) => [`${host} out`, `${host} back`]));
    const waves = world.events.find(({ event }) => event === "waves") as RunEvent & { event: "waves" };
    expect(waves.waves).toEqual(world.hosts.map((host) => [host]));
    const gates = world.events.filter(({ event }) => event === "gate");
    expect(gates).toMatchObject(world.hosts.map((host) => ({ is: "passed", wave: [host] })));
  });

  it("has the host's backends back also when it fails", async () => {
    const world = serving("1", "2", "3");
    expect(await world.run("provision", [draining("refused"), mesh(world)])).toBe(1);
    expect(world.read("1", "log")).toBe(LOG("serve refused\nserve old\n"));
    expect(world.outcome("1").is).toBe("failed");
    for (const host of ["2", "3"]) expect(world.read(host, "log")).toBe("");
  });

  it("is made, and says so, where the backends stay", async () => {
    const world = serving("1", "2");
    expect(await world.run("provision", [draining("new"), mesh(world, { undrained: ["1"] })])).toBe(0);
    expect(world.read("1", "log")).toBe("serve new\n");
    expect(drainsOf(world)).toEqual(["1 kept", "2 out", "2 back"]);
    expect(world.events.flatMap((event) => (event.event === "planned" ? [event.drain] : []))).toEqual([
      "the host's backends stay in the mesh, and their clients may notice: the registrar does not run",
      "the host's backends leave the mesh before, and come back after",
    ]);
  });
});
