import { describe, expect, it, vi } from "vitest";
import { HostLost } from "../../src/errors.ts";
import { serviceStep, serving } from "./world/service-step.ts";
import type { World } from "./world/world.ts";

// Whole runs, which wait between looks; some of them in a real shell.
vi.setConfig({ testTimeout: 300_000 });

const RUN = "20261122-190312-4f2a";
const [LATER, LATEST] = ["20261122-190313-0001", "20261122-190314-0002"];

const manifest = (world: World, host: string) =>
  world.has(host, "var/lib/meshctl/manifest") ? world.read(host, "var/lib/meshctl/manifest") : "";
const putBacks = (world: World) => world.events.filter(({ event }) => event === "put-back");

describe.concurrent("a service that does not come up with its new configuration", () => {
  it.each([
    [
      "and says so",
      "refused",
      /^service: settings: serve.sh failed with exit code 1: the service does not take its/,
    ],
    ["and says nothing", "dies", /^service: settings was applied and is not in force: the service is down; /],
  ])("%s gets the old one back, and the run fails with both facts", async (_, want, failure) => {
    const world = serving("a", "b");
    world.put("b", "config", want);
    for (const [name, text] of [
      ["live", want],
      ["state", "up\n"],
    ] as const)
      world.put("b", name, text);
    expect(await world.run("provision", [serviceStep(want)])).toBe(5);
    expect(world.read("a", "config")).toBe("old");
    expect(world.read("a", "state")).toBe("up\n");
    expect(world.read("a", "log")).toBe(`serve ${want}\nserve old\n`);
    expect(manifest(world, "a")).toBe("");
    expect(world.outcome("a")).toMatchObject({ is: "failed", changed: [], unproven: [{ putBack: true }] });
    expect(world.outcome("a").because).toMatch(failure);
    expect(world.outcome("a").because).toMatch(
      /; the old configuration was put back, and the service is healthy with it: .*\/config is back as it was$/,
    );
    expect(putBacks(world)).toMatchObject([{ host: "a", health: "healthy" }]);
    // The drift is as it was.
    expect(await world.run("plan", [serviceStep(want)])).toBe(2);
  });

  it("has the file removed when there was none before", async () => {
    const world = serving("a");
    world.remove("a", "config");
    expect(await world.run("provision", [serviceStep("refused")])).toBe(1);
    expect(world.has("a", "config")).toBe(false);
    expect(world.read("a", "log")).toBe("serve refused\nserve none\n");
    expect(world.outcome("a").because).toMatch(/config is removed again$/);
  });

  it("and not with the old one either is said to be down with both", async () => {
    const world = serving("a");
    expect(await world.run("provision", [serviceStep("poison")])).toBe(1);
    expect(world.read("a", "config")).toBe("old");
    expect(world.outcome("a").because).toMatch(
      /the service is down; putting the old configuration back did not help either: the service is down$/,
    );
    expect(putBacks(world)).toMatchObject([{ health: "broken" }]);
  });

  it("is put back as few hosts at a time as the service allows", async () => {
    const world = serving("a", "b");
    const step = serviceStep("refused");
    const oneByOne = { ...step.service!, next: (waiting: readonly string[]) => waiting.slice(-1) };
    expect(await world.run("provision", [{ ...step, service: oneByOne }])).toBe(1);
    const order = world.events.flatMap((event) => (event.event === "put-back" ? [event.host] : []));
    expect(order).toEqual(["b", "a"]);
    expect(world.read("a", "config") + world.read("b", "config")).toBe("oldold");
  });
});

describe.concurrent("nothing is put back", () => {
  async function left(world: World, step = serviceStep("refused"), log = "serve refused\n"): Promise<string> {
    expect(await world.run("provision", [step])).toBe(1);
    expect(world.read("a", "log")).toBe(log);
    expect(putBacks(world)).toEqual([]);
    return world.outcome("a").because!;
  }

  it("while a service is on its way up or down", async () => {
    const world = serving("a");
    expect(await left(world, serviceStep("slow"), "serve slow\n")).toBe(
      "service: settings was applied and is not in force: PID 7 is still activating. Nothing was put back",
    );
    expect(world.read("a", "config")).toBe("slow");
  });

  it("where the service is healthy and has another value", async () => {
    const because = await left(serving("a"), serviceStep("clamped"), "serve clamped\n");
    expect(because).toMatch(
      /^service: settings was applied and is not in force: the value: on disk it is as wanted/,
    );
  });

  it("where it did not serve before either", async () => {
    const world = serving("a");
    world.put("a", "state", "down\n");
    expect(await left(world)).toContain(
      `it did not serve before this run either (the service is down), so nothing was put back; "meshctl restore ${RUN}"`,
    );
  });

  it("of a file that must not go back", async () => {
    const step = serviceStep("refused");
    const kept = { ...step, service: { ...step.service!, keeps: () => "its data would be lost" } };
    expect(await left(serving("a"), kept)).toMatch(
      /the old configuration was not put back: .*\/config: its data/,
    );
  });

  it("that an earlier run replaced, which is named", async () => {
    const world = serving("a");
    await world.run("provision", [serviceStep("new")]);
    world.put("a", "poisoned");
    world.put("a", "state", "up\n");
    world.put("a", "live", "other\n");
    const log = "serve new\nserve new\n";
    expect(await world.run("provision", [serviceStep("new")], { run: LATER })).toBe(1);
    expect(world.read("a", "log")).toBe(log);
    expect(world.outcome("a").because).toContain(`run ${RUN} did, and "meshctl restore ${RUN}" puts back`);
  });

  it("where the connection was lost and the outcome is not known", async () => {
    const world = serving("a");
    world.remote("a").faultAfter = (during) =>
      during === "settings" ? new HostLost("a", during, `${during} was cut off`) : undefined;
    expect(await left(world)).toBe("service: settings was cut off");
  });
});

describe.concurrent("a restore", () => {
  const step = serviceStep("new");
  const redo = (world: World, of: string, run = LATER) => world.restore([step], { of, run });

  it("puts back what a run replaced, and can be restored in its turn", async () => {
    const world = serving("a", "b");
    expect(await world.run("provision", [step])).toBe(0);
    expect(await redo(world, RUN)).toBe(0);
    expect(world.read("a", "live") + world.read("b", "live")).toBe("old\nold\n");
    expect(manifest(world, "a")).toBe("");
    expect(world.summary.hosts.map(({ is }) => is)).toEqual(["restored", "restored"]);
    expect(await redo(world, LATER, LATEST)).toBe(0);
    expect(world.read("a", "live")).toBe("new\n");
    expect(manifest(world, "a")).toMatch(/^[0-9a-f]{64} {2}.*config\n$/);
    expect(await world.run("verify", [step])).toBe(0);
  });

  it("leaves a file that was changed since, and says by whom", async () => {
    const world = serving("a", "b");
    await world.run("provision", [step]);
    await world.run("provision", [serviceStep("newer")], { run: LATER, limit: (host) => host === "a" });
    world.put("b", "config", "by hand");
    expect(await redo(world, RUN, LATEST)).toBe(1);
    expect(world.outcome("a").because).toContain(`"meshctl restore ${LATER}"`);
    expect(world.outcome("b").because).toMatch(/config has changed since run .* diff \S+config \/var/);
    expect(world.read("a", "config") + world.read("b", "config")).toBe("newerby hand");
  });

  it("that is declined, that has nothing to do or that knows no such run changes nothing", async () => {
    const world = serving("a");
    await expect(redo(world, RUN)).rejects.toThrow(/no host keeps anything of run/);
    await world.run("provision", [step]);
    expect(await world.restore([step], { of: RUN, run: LATER, confirm: async () => false })).toBe(2);
    expect(world.read("a", "live")).toBe("new\n");
    world.put("a", "config", "old");
    expect(await redo(world, RUN)).toBe(0);
    expect(world.read("a", "log")).toBe("serve new\n");
  });

  it("whose service does not come up with the old file fails, and says how to undo it", async () => {
    const world = serving("a");
    await world.run("provision", [step]);
    world.put("a", "poisoned");
    expect(await redo(world, RUN)).toBe(1);
    expect(world.outcome("a").because).toMatch(
      new RegExp(
        `^service: the service is down \\(.*config is back as it was; "meshctl restore ${LATER}" undoes`,
      ),
    );
  });

  it("without a run lists what can be put back", async () => {
    const world = serving("a", "b");
    await world.run("provision", [step], { limit: (host) => host === "b" });
    expect(await world.restore([step], { of: undefined })).toBe(0);
    const kept = world.events.filter(({ event }) => event === "kept");
    expect(kept).toMatchObject([{ host: "b", of: RUN, files: [{ step: "service" }] }]);
  });
});

describe.concurrent("what runs replaced", () => {
  it("is kept of the last twenty, and of the present one whatever the clock says", async () => {
    const world = serving("a").inShell();
    const name = (day: number) => `202611${String(day).padStart(2, "0")}-000000-0000`;
    const runs = "var/lib/meshctl/runs";
    for (let day = 1; day <= 25; day += 1) world.put("a", `${runs}/${name(day)}/files`, "");
    await world.run("provision", [serviceStep("new")], { run: "20000101-000000-ffff" });
    expect(world.list("a", runs)).toEqual([
      "20000101-000000-ffff",
      ...Array.from({ length: 20 }, (_, index) => name(index + 6)),
    ]);
    expect(world.mode("a", runs)).toBe("700");
  });
});
