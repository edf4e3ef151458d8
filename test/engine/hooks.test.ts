import { describe, expect, it, vi } from "vitest";
import type { Hook, Hooks } from "../../src/contract/hook.ts";
import type { AnyStep } from "../../src/contract/step.ts";
import { HostLost } from "../../src/errors.ts";
import { serviceStep, serving } from "./world/service-step.ts";
import { valueStep, World } from "./world/world.ts";

// Some are whole runs in a real shell.
vi.setConfig({ testTimeout: 300_000 });

const hook = (command: string, changed: Partial<Hook> = {}): Hook => {
  return { command, timeoutMs: 60_000, per: "host", ...changed };
};

/** A run of one step with these hooks. */
function run(
  world: World,
  step: AnyStep,
  hooks: Partial<Hooks>,
  changed: Partial<Parameters<World["run"]>[2]> & { readonly command?: "plan" } = {},
): Promise<number> {
  const { command = "provision", ...options } = changed;
  const parameters = new Map(world.hosts.map((host) => [host, "new"]));
  const steps = [{ step, parameters, hooks: { before: [], after: [], ...hooks } }];
  return world.run(command, [step], { job: { plays: [{ hosts: world.hosts, steps }] }, ...options });
}

/** HOME is the host's folder. */
const note = (word: string) => `echo "${word} $(cat "$HOME/live")" >>"$HOME/notes"`;

/** "before b passed". */
const told = (world: World) =>
  world.events.flatMap((event) =>
    event.event === "hook" && event.is !== "begun" ? [`${event.when} ${event.host} ${event.is}`] : [],
  );

describe.concurrent("hooks", () => {
  it("run once each around the change, in their order, and around nothing on a converged host", async () => {
    const world = new World("a");
    const hooks = { before: [hook(note("1")), hook(note("2"))], after: [hook(note("3")), hook(note("4"))] };
    expect(await run(world, valueStep(), hooks)).toBe(0);
    expect(world.read("a", "notes")).toBe("1 old\n2 old\n3 new\n4 new\n");
    expect(await run(world, valueStep(), hooks)).toBe(0);
    expect(world.read("a", "notes")).toBe("1 old\n2 old\n3 new\n4 new\n");
    expect(told(world)).toEqual([]);
  });

  it("are planned where something is changed, and not run by a plan", async () => {
    const world = new World("a", "b");
    for (const name of ["disk", "live"]) world.put("b", name, "new");
    const hooks = { before: [hook(note("1"))], after: [] };
    expect(await run(world, valueStep(), hooks, { command: "plan" })).toBe(2);
    expect(world.events.filter(({ event }) => event === "hooks")).toEqual([
      { event: "hooks", step: "value", hosts: ["a"], hooks },
    ]);
    expect(world.has("a", "notes")).toBe(false);
  });

  it("run before the first change of a step on a host and after its last, not around each", async () => {
    const world = new World("a");
    const twice = valueStep({
      assess(self, fleet) {
        const { readings, changes } = valueStep().assess(self, fleet);
        const isSecond = self.facts.disk === "new";
        const id = isSecond ? "second" : "first";
        const closedBy = changes.length > 0 ? { change: id } : undefined;
        return {
          readings: readings.map((row) => ({ ...row, closedBy })),
          changes: changes.map((change) => ({ ...change, id, activate: isSecond ? change.activate : [] })),
        };
      },
    });
    expect(await run(world, twice, { before: [hook(note("in"))], after: [hook(note("out"))] })).toBe(0);
    expect(world.story.filter((each) => each.startsWith("changed"))).toEqual([
      "changed a first",
      "changed a second",
    ]);
    expect(world.read("a", "notes")).toBe("in old\nout new\n");
  });

  it("run once for a wave on its first host, and are told whom they run for", async () => {
    const world = new World("a", "b");
    const every = hook('echo "$MESHCTL_STEP $MESHCTL_HOST: $MESHCTL_WAVE" >>"$HOME/notes"', { per: "wave" });
    const each = hook('echo "$MESHCTL_HOST: $MESHCTL_WAVE" >>"$HOME/each"');
    expect(await run(world, valueStep(), { before: [every, each], after: [every] })).toBe(0);
    expect(world.read("a", "notes")).toBe("value a: a b\nvalue a: a b\n");
    expect(world.has("b", "notes")).toBe(false);
    expect([world.read("a", "each"), world.read("b", "each")]).toEqual(["a: a\n", "b: b\n"]);
  });

  it("have nothing to read, and no word of them is read twice", async () => {
    const world = new World("a").inShell();
    const command = `cat >"$HOME/read"; printf '%s\\n' '$(id) "x"' >"$HOME/notes"`;
    expect(await run(world, valueStep(), { before: [hook(command)] })).toBe(0);
    expect(world.read("a", "read")).toBe("");
    expect(world.read("a", "notes")).toBe('$(id) "x"\n');
  });

  it("that fail before the change keep it from being made, and no other host is begun", async () => {
    const world = new World("a", "b");
    const step = valueStep({ next: (waiting) => waiting.slice(0, 1) });
    const before = [hook("echo no such backend >&2; exit 3")];
    expect(await run(world, step, { before, after: [hook(note("after"))] })).toBe(1);
    expect(world.story).toEqual(["failed a", "failed b"]);
    expect(world.read("a", "log")).toBe("");
    expect(world.outcome("a").because).toBe(
      "value: its before hook: echo no such backend >&2; exit 3 failed with exit code 3: no such backend. It was not changed",
    );
    expect(world.outcome("b").because).toMatch(/^value: left as it is: a failed/);
    expect(told(world)).toEqual(["before a failed"]);
  });

  it("that fail for a wave fail all of it", async () => {
    const world = new World("a", "b");
    expect(await run(world, valueStep(), { before: [hook("exit 1", { per: "wave" })] })).toBe(1);
    expect(world.read("b", "log")).toBe("");
    expect(world.outcome("b").because).toBe(
      "value: its before hook: exit 1 failed with exit code 1: it said nothing, run for the wave on a. It was not changed",
    );
  });

  it("that hang are ended by their own time-out, and named", async () => {
    const world = new World("a").inShell();
    expect(await run(world, valueStep(), { before: [hook("sleep 600", { timeoutMs: 1_000 })] })).toBe(1);
    expect(world.outcome("a").because).toBe(
      "value: its before hook: sleep 600 did not end within 1 s and was stopped: it said nothing. It was not changed",
    );
  });

  it("that fail after the change put back what it replaced, and stop the run", async () => {
    const world = serving("a", "b");
    const step = serviceStep("new", { next: (waiting) => waiting.slice(0, 1) });
    const after = [hook("echo it answers 503; exit 1")];
    expect(await run(world, step, { after })).toBe(1);
    expect([world.read("a", "config"), world.read("a", "live")]).toEqual(["old", "old\n"]);
    expect(world.read("b", "config")).toBe("old");
    expect(world.outcome("a").because).toMatch(
      /^service: its after hook: .* failed with exit code 1: it answers 503; the old configuration was put back, and the service is healthy with it: /,
    );
    expect(world.outcome("b").because).toMatch(/^service: left as it is: a: its after hook: /);
    expect(told(world)).toEqual(["after a failed"]);
  });

  it("that fail on one host of a wave leave its neighbours what they got, and a wave's take it from all", async () => {
    const failing = 'test "$MESHCTL_HOST" != a';
    const one = serving("a", "b");
    expect(await run(one, serviceStep("new"), { after: [hook(failing)] })).toBe(5);
    expect([one.read("a", "config"), one.read("b", "config")]).toEqual(["old", "new"]);
    expect(one.outcome("b").is).toBe("as wanted");
    const both = serving("a", "b");
    expect(await run(both, serviceStep("new"), { after: [hook(failing, { per: "wave" })] })).toBe(1);
    expect([both.read("a", "config"), both.read("b", "config")]).toEqual(["old", "old"]);
  });

  it("whose connection is lost leave everything as it is: nobody knows how they ended", async () => {
    const world = serving("a");
    world.remote("a").faultAfter = (during) =>
      during === "its after hook" ? new HostLost("a", during, "its after hook was cut off") : undefined;
    expect(await run(world, serviceStep("new"), { after: [hook("true")] })).toBe(1);
    expect(world.read("a", "config")).toBe("new");
    expect(world.outcome("a").because).toBe("service: its after hook was cut off");
    expect(told(world)).toEqual(["after a lost"]);
  });

  it("are named when the change failed and what was to run after it did not", async () => {
    const world = new World("a");
    world.put("a", "stuck");
    const step = valueStep({ settle: { deadlineMs: 300, stableMs: 0 } });
    expect(await run(world, step, { before: [hook("true")], after: [hook(note("after"))] })).toBe(1);
    expect(world.has("a", "notes")).toBe(false);
    expect(world.events).toContainEqual({
      event: "note",
      text: "value: what is to run after the change has not run on a, and what ran before it has.",
    });
  });
});
