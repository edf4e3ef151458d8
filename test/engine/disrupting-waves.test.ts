import { describe, expect, it, vi } from "vitest";
import type { WaveRules } from "../../src/waves.ts";
import { serviceStep, serving } from "./world/service-step.ts";
import { valueStep, type World } from "./world/world.ts";

// Whole runs in a real shell.
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
