import { describe, expect, it, vi } from "vitest";
import type { Fleet } from "../../src/contract/step.ts";
import { HostLost } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";
import { unreachable } from "./world/local-remote.ts";
import { set, start, type ValueStep, valueStep, World } from "./world/world.ts";

// Whole runs, which wait between looks; some of them in a real shell.
vi.setConfig({ testTimeout: 300_000 });

/** For what never comes into force. */
const settle = { deadlineMs: 300, stableMs: 0 };

const lost = (host: string) => (during: string) =>
  during === "observation" ? undefined : new HostLost(host, during, `${during} was cut off: reset by peer`);

describe.concurrent("a provision", () => {
  it("closes what is open, and says it is done only after the host showed it", async () => {
    const world = new World("a", "b");
    expect(await world.run("provision", [valueStep()])).toBe(0);
    expect(world.read("b", "live")).toBe("new");
    expect(world.outcome("a")).toMatchObject({ is: "as wanted", unproven: [] });
    expect(world.outcome("a").changed).toEqual([{ step: "value", change: "write", why: "it differs" }]);
    const kinds = world.events.map(({ event }) => event);
    expect([...new Set(kinds)]).toEqual([
      ...["run", "observed", "planned", "step", "changing", "changed", "boot", "evidence", "summary"],
    ]);
  });

  it("leaves converged hosts untouched, with one exec each", async () => {
    const world = new World("a", "b");
    await world.run("provision", [valueStep()]);
    expect(await world.run("provision", [valueStep()])).toBe(0);
    expect(world.story).toEqual([]);
    expect(world.summary.hosts.map(({ execs }) => execs)).toEqual([1, 1]);
  });

  it("fails a change that does not show, and does not repeat it", async () => {
    const world = new World("a", "b");
    world.put("a", "stuck");
    expect(await world.run("provision", [valueStep({ settle })])).toBe(5);
    expect(world.outcome("a")).toMatchObject({
      is: "failed",
      because: expect.stringMatching(
        /^value: write was applied and is not in force: the value: on disk it is/,
      ),
      changed: [],
      unproven: [{ change: "write" }],
    });
    expect(world.read("a", "log")).toBe("set new\nstart\n");
    expect(world.outcome("b").is).toBe("as wanted");
  });

  it("gives up on a step that always wants another change", async () => {
    const world = new World("a");
    const endless = valueStep({
      assess: ({ desired: { directory, want }, facts: { count } }) => ({
        readings: [
          {
            setting: "the value",
            want,
            onDisk: { is: "read", value: "never", source: "disk" },
            inForce: { is: "inapplicable" },
            closedBy: { change: `change ${count}` },
          },
        ],
        changes: [
          { id: `change ${count}`, why: "again", commands: [set(directory, `${count}`)], activate: [] },
        ],
      }),
    });
    expect(await world.run("provision", [endless])).toBe(1);
    expect(world.read("a", "log").split("\n").length - 1).toBe(6);
    expect(world.outcome("a").because).toMatch(
      /^value: after 6 changes \(change 0, .*\) it still wants another, change 6: again$/,
    );
  });

  it("does not take a probe that gives no answer for proof", async () => {
    const world = new World("a");
    world.put("a", "break after start");
    expect(await world.run("provision", [valueStep()])).toBe(0);
    // The look that broke, and the one after it.
    const looks = world.remote("a").during.slice(world.remote("a").during.indexOf("write") + 1);
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(world.story).toEqual(["changing a write", "changed a write"]);
  });

  it("does not take what shows and goes away again for proof", async () => {
    const world = new World("a");
    world.put("a", "flap");
    const flapping = valueStep({ settle: { deadlineMs: 400, stableMs: 400 } });
    expect(await world.run("provision", [flapping])).toBe(1);
    expect(world.story).not.toContain("changed a write");
    expect(world.outcome("a").unproven.length).toBeGreaterThan(0);
  });

  describe("whose change is tried first", () => {
    /** The trial sets what the change would set; it is kept over the new connection. */
    const tried = valueStep({
      assess(self, fleet) {
        const { readings, changes } = valueStep().assess(self, fleet);
        const { directory } = self.desired;
        const trial = { commands: [set(directory, "tried")], undoneAfterMs: 5_000 };
        return { readings, changes: changes.map((change) => ({ ...change, trial })) };
      },
    });
    const anew = "anew: write";

    it("makes the rest over a connection of its own", async () => {
      const world = new World("a");
      expect(await world.run("provision", [tried])).toBe(0);
      expect(world.read("a", "log")).toBe("set tried\nset new\nstart\n");
      expect(world.remote("a").during.filter((each) => each.includes("write"))).toEqual(["write", anew]);
    });

    it("makes nothing of the rest where none comes about, and says that it goes by itself", async () => {
      const world = new World("a");
      world.remote("a").faultBefore = (during) => (during === anew ? unreachable("a") : undefined);
      expect(await world.run("provision", [tried])).toBe(1);
      expect(world.read("a", "log")).toBe("set tried\n");
      expect(world.outcome("a").because).toBe(
        "value: with write in force no new connection came about (connect: nobody answers on port 22), so it is not kept: the host takes it back by itself within 5 s",
      );
    });

    it("knows that it is not kept where the trial cuts the connection that it came by", async () => {
      const world = new World("a");
      world.remote("a").faultAfter = (during) =>
        during === "write" ? new HostLost("a", during, "write was cut off") : undefined;
      expect(await world.run("provision", [tried])).toBe(1);
      expect(world.read("a", "log")).toBe("set tried\n");
      expect(world.outcome("a").because).toMatch(
        /^value: write was tried and the connection did not last .* within 5 s$/,
      );
    });

    it("does not know what became of the rest where the new connection is lost", async () => {
      const world = new World("a");
      world.remote("a").faultAfter = (during) =>
        during === anew ? new HostLost("a", during, "write was cut off; its outcome is unknown") : undefined;
      expect(await world.run("provision", [tried])).toBe(1);
      expect(world.outcome("a").because).toBe("value: write was cut off; its outcome is unknown");
    });
  });

  it("looks again after the question: what was open may be closed by then", async () => {
    const world = new World("a");
    const confirm = async () => {
      for (const name of ["disk", "live"]) world.put("a", name, "new");
      return true;
    };
    expect(await world.run("provision", [valueStep()], { confirm })).toBe(0);
    expect(world.story).toEqual([]);
  });

  it("that is declined changes nothing and reports drift", async () => {
    const world = new World("a");
    expect(await world.run("provision", [valueStep()], { confirm: async () => false })).toBe(2);
    expect(world.read("a", "log")).toBe("");
  });

  it("counts a change that the next one has to bring into force as proved only then", async () => {
    const world = new World("a");
    const inTwo = valueStep({
      settle,
      assess(self, fleet) {
        const { readings, changes } = valueStep().assess(self, fleet);
        const [change] = changes;
        if (change === undefined) return { readings, changes };
        const isSet = change.commands.length === 0;
        const part = isSet ? { ...change, id: "restart" } : { ...change, activate: [] };
        return { readings: [{ ...readings[0]!, closedBy: { change: part.id } }], changes: [part] };
      },
    });
    world.put("a", "stuck");
    expect(await world.run("provision", [inTwo])).toBe(1);
    expect(world.outcome("a")).toMatchObject({
      changed: [],
      unproven: [{ change: "write" }, { change: "restart" }],
    });
    const other = new World("b");
    expect(await other.run("provision", [inTwo])).toBe(0);
    expect(other.outcome("b")).toMatchObject({
      changed: [{ change: "write" }, { change: "restart" }],
      unproven: [],
    });
  });

  it("waits for what comes right by itself", async () => {
    const world = new World("a", "b");
    const starting = valueStep({
      settle: { deadlineMs: 3_000, stableMs: 0 },
      assess(self, fleet) {
        const { readings, changes } = valueStep().assess(self, fleet);
        if (self.name === "b") return { readings, changes };
        return { readings: readings.map(({ closedBy: _, ...row }) => row), changes: [] };
      },
    });
    world.put("a", "disk", "new");
    const emit = (event: (typeof world.events)[number]) => {
      world.events.push(event);
      if (event.event === "waiting") world.put("a", "live", "new");
    };
    expect(await world.run("provision", [starting], { emit })).toBe(0);
  });

  it("waits also when nothing is planned yet, and then makes the change that shows to be needed", async () => {
    const world = new World("a");
    let looks = 0;
    const starting = valueStep({
      assess(self, fleet) {
        const { readings, changes } = valueStep().assess(self, fleet);
        if (world.read("a", "live") === "old" && ++looks < 4) {
          return { readings: readings.map(({ closedBy: _, ...row }) => row), changes: [] };
        }
        return { readings, changes };
      },
    });
    expect(await world.run("provision", [starting])).toBe(0);
    expect(world.read("a", "live")).toBe("new");
  });
});

describe.concurrent("a wave", () => {
  const oneByOne = (waiting: readonly string[]) => waiting.slice(-1);

  it("is as large as the step allows, and the next begins when it is proved", async () => {
    const world = new World("a", "b", "c");
    expect(await world.run("provision", [valueStep({ next: oneByOne })])).toBe(0);
    expect(world.story).toEqual(
      ["c", "b", "a"].flatMap((host) => [`changing ${host} write`, `changed ${host} write`]),
    );
  });

  it("never begins when the step holds everybody back", async () => {
    const world = new World("a");
    const held = valueStep({ settle, next: () => ({ hold: "the quorum would be lost" }) });
    expect(await world.run("provision", [held])).toBe(1);
    expect(world.outcome("a").because).toBe("value: the quorum would be lost");
    expect(world.read("a", "log")).toBe("");
    expect(world.events.some(({ event }) => event === "waiting")).toBe(true);
  });
});

describe.concurrent("a host that is lost in the middle of a change", () => {
  it("has failed, though the change may have been made, and spares the others", async () => {
    const world = new World("a", "b");
    world.remote("a").faultAfter = lost("a");
    expect(await world.run("provision", [valueStep()])).toBe(5);
    expect(world.outcome("a")).toMatchObject({
      is: "failed",
      because: "value: write was cut off: reset by peer",
      changed: [],
      unproven: [{ change: "write" }],
    });
    expect(world.outcome("b").is).toBe("as wanted");
  });

  it("is healed by the next run", async () => {
    const world = new World("a");
    const remote = world.remote("a");
    remote.faultBefore = lost("a");
    expect(await world.run("provision", [valueStep()])).toBe(1);
    remote.faultBefore = () => undefined;
    expect(await world.run("provision", [valueStep()])).toBe(0);
  });

  it("has not just been unreachable when it stays away", async () => {
    const world = new World("a");
    const remote = world.remote("a");
    remote.faultAfter = (during) => {
      remote.faultBefore = () => (during === "write" ? unreachable("a") : undefined);
      return lost("a")(during);
    };
    expect(await world.run("provision", [valueStep()])).toBe(1);
    expect(world.outcome("a").unproven).toHaveLength(1);
  });

  it("after a change that went through is said to be gone", async () => {
    const world = new World("a");
    const remote = world.remote("a");
    remote.faultAfter = (during) => {
      if (during === "write") remote.faultBefore = () => unreachable("a");
      return undefined;
    };
    expect(await world.run("provision", [valueStep({ settle })])).toBe(1);
    expect(world.outcome("a").because).toBe(
      "value: the host cannot be seen any more: connect: nobody answers on port 22",
    );
  });
});

describe.concurrent("a host with a blocked row", () => {
  it("is not changed by that step, nor by those after it", async () => {
    const world = new World("a", "b");
    world.put("a", "blocked");
    const later = valueStep({ name: "later" });
    expect(await world.run("provision", [valueStep(), later])).toBe(5);
    expect(world.read("a", "log")).toBe("");
    expect(world.outcome("a").because).toBe("value: the value: it is somebody else's");
    expect(world.outcome("b").is).toBe("as wanted");
  });

  it("has failed also when nothing else is to be changed anywhere", async () => {
    const world = new World("a");
    for (const name of ["disk", "live"]) world.put("a", name, "new");
    world.put("a", "blocked");
    expect(await world.run("provision", [valueStep()])).toBe(1);
  });

  it("gets none of the step's packages with another step's", async () => {
    const world = new World("a", "b").inShell();
    world.put("b", "blocked");
    const installing = (name: string): ValueStep =>
      valueStep({
        name,
        settle,
        assess: ({ facts: { isBlocked, live } }) => ({
          readings: [
            {
              setting: name,
              want: "installed",
              onDisk: { is: "read", value: live === "new" ? "installed" : "not", source: "dpkg" },
              inForce: { is: "inapplicable" },
              blocked: isBlocked && name === "second" ? "not here" : undefined,
            },
          ],
          changes: [
            {
              id: "packages",
              why: "missing",
              commands: [{ kind: "install", packages: [name] }],
              activate: [],
            },
          ],
        }),
      });
    await world.run("provision", [installing("first"), installing("second")]);
    expect(world.read("a", "apt-get").split("\n").at(-2)).toMatch(/ install first second$/);
    expect(world.read("b", "apt-get").split("\n").at(-2)).toMatch(/ install first$/);
    expect(world.has("a", "usr/sbin/policy-rc.d")).toBe(false);
  });
});

describe.concurrent("--limit", () => {
  it("narrows what is changed, not what is looked at", async () => {
    const world = new World("a", "b", "c");
    world.remote("c").faultBefore = () => unreachable("c");
    const seen: Record<string, string> = {};
    const looking = valueStep({
      assess(self, fleet: Fleet<never, never>) {
        for (const [host, { is }] of fleet) seen[host] = is;
        return valueStep().assess(self, fleet);
      },
    });
    expect(await world.run("provision", [looking], { limit: (host) => host === "a" })).toBe(0);
    expect(seen).toEqual({ a: "seen", b: "seen", c: "unseen" });
    expect(world.read("b", "log")).toBe("");
    expect(world.summary.hosts.map(({ host }) => host)).toEqual(["a"]);
  });

  it("looks at no other host for a step that depends on none, and at it for one that does", async () => {
    const world = new World("a", "b");
    const seen: Record<string, string> = {};
    const alone = valueStep({
      name: "alone",
      alone: true,
      assess(self, fleet: Fleet<never, never>) {
        for (const [host, member] of fleet) seen[host] = member.is === "seen" ? "seen" : member.because;
        return valueStep().assess(self, fleet);
      },
    });
    const limit = (host: string) => host === "a";
    expect(await world.run("verify", [alone], { limit })).toBe(2);
    expect(seen).toEqual({ a: "seen", b: "it was not looked at" });
    expect(world.remote("b").execs).toBe(0);
    await world.run("verify", [alone, valueStep()], { limit });
    expect(world.remote("b").execs).toBe(1);
    expect(seen.b).toBe("it was not looked at");
  });

  it("that leaves no host with the steps asked for is an error and no success", async () => {
    const world = new World("a");
    await expect(world.run("verify", [valueStep()], { limit: () => false })).rejects.toThrow(
      /no host has any/,
    );
  });

  it("keeps a build from a host that is to be left alone", async () => {
    const world = new World("a", "b");
    expect(await world.run("provision", [placing()], { limit: (host) => host === "a" })).toBe(1);
    expect(world.outcome("a").because).toMatch(/built on b first, which this run leaves alone: let --limit/);
    expect(world.has("b", "apt-get")).toBe(false);
  });
});

describe.concurrent("a build", () => {
  it("keeps other changes from the host it is made on, and waits for those under way", async () => {
    const world = new World("a", "b").inShell();
    expect(await world.run("provision", [placing()])).toBe(0);
    expect(world.read("a", "placed")).toBe("built");
    expect(world.read("b", "live")).toBe("new");
  });
});

/** Host "a" gets a file that is built on "b", which has a change of its own to make. */
function placing(): ValueStep {
  return valueStep({
    assess(self, fleet) {
      const { readings, changes } = valueStep().assess(self, fleet);
      const build = { file: new URL("./world/build.sh", import.meta.url), args: [], timeoutMs: 5_000 };
      const artefact = { key: "k.tar.gz", buildHost: "b", buildPackages: ["gcc"], build };
      const path = `${self.desired.directory}/placed`;
      const place = { kind: "place", path, artefact } as const;
      if (self.name !== "a") return { readings, changes };
      return {
        readings,
        changes: changes.map((change) => ({ ...change, commands: [place, ...change.commands] })),
      };
    },
  });
}

describe.concurrent("a run that is told to stop", () => {
  it("finishes and proves the change under way, begins no other, and ends with 130", async () => {
    const world = new World("a", "b");
    const stop = new AbortController();
    const emit = (event: (typeof world.events)[number]) => {
      world.events.push(event);
      if (event.event === "changing") stop.abort();
    };
    const oneByOne = valueStep({ next: (waiting) => waiting.slice(0, 1) });
    expect(await world.run("provision", [oneByOne], { emit, stop: stop.signal })).toBe(130);
    expect(world.story).toEqual(["changing a write", "changed a write"]);
    expect(world.summary.hosts.map(({ is }) => is)).toEqual(["as wanted", "interrupted"]);
    expect(world.summary.exitCode).toBe(130);
  });

  it("says so also when there was nothing left to do", async () => {
    const world = new World("a");
    const stop = new AbortController();
    const emit = (event: (typeof world.events)[number]) => {
      world.events.push(event);
      if (event.event === "changed") stop.abort();
    };
    expect(await world.run("provision", [valueStep()], { emit, stop: stop.signal })).toBe(130);
    expect(world.summary.exitCode).toBe(130);
    expect(world.outcome("a").is).toBe("as wanted");
  });

  it("before the question asks none and touches nothing", async () => {
    const world = new World("a");
    const stop = AbortSignal.abort();
    const confirm = () => Promise.reject(new Error("asked"));
    expect(await world.run("provision", [valueStep()], { stop, confirm })).toBe(130);
    expect(world.read("a", "log")).toBe("");
  });
});

describe.concurrent("verify", () => {
  it("tells what is urgent before whatever else is open, unread or blocked", async () => {
    const world = new World("a");
    const wrong = { want: "one", onDisk: { is: "read", value: "two", source: "disk" } } as const;
    const inForce = { is: "inapplicable" } as const;
    const step = valueStep({
      assess: () => ({
        readings: [
          { setting: "drift", ...wrong, inForce },
          { setting: "blocked", ...wrong, inForce, blocked: "it is somebody else's" },
          { setting: "refused", ...wrong, inForce, because: "no such keyword", urgent: true },
        ],
        changes: [],
      }),
    });
    expect(await world.run("verify", [step])).toBe(2);
    expect(world.outcome("a")).toMatchObject({ is: "drift", because: "value: refused: no such keyword" });
    const unread = { is: "unreadable", source: "disk", because: "no answer" } as const;
    const blind = valueStep({
      assess: (self) => {
        const { readings } = step.assess(self, new Map());
        return { readings: [{ setting: "x", want: "y", onDisk: unread, inForce }, ...readings], changes: [] };
      },
    });
    expect(await world.run("verify", [blind])).toBe(1);
    expect(world.outcome("a")).toMatchObject({ is: "failed", because: "value: refused: no such keyword" });
  });

  it.each([
    ["everything is as wanted", 0, (world: World) => ["a", "b"].map((host) => converge(world, host))],
    ["a host drifted", 2, (world: World) => converge(world, "a")],
    ["a host cannot be reached", 5, (world: World) => cut(world, "a")],
    ["no host can be reached", 4, (world: World) => ["a", "b"].map((host) => cut(world, host))],
    ["a probe broke on one host and the other drifted", 5, (world: World) => world.put("a", "break once")],
    ["every probe broke", 1, (world: World) => ["a", "b"].map((host) => world.put(host, "break once"))],
  ])("when %s ends with %i", async (_what, code, prepare) => {
    const world = new World("a", "b");
    prepare(world);
    expect(await world.run("verify", [valueStep()])).toBe(code);
    expect(world.read("a", "log") + world.read("b", "log")).toBe("");
  });

  it("spares other hosts and steps when a step stumbles over a host's facts", async () => {
    const world = new World("a", "b");
    for (const host of world.hosts) converge(world, host);
    const stumbling = valueStep({
      assess(self, fleet) {
        if (self.name === "a") throw new TypeError("cannot read properties of undefined");
        return valueStep().assess(self, fleet);
      },
    });
    expect(await world.run("verify", [stumbling])).toBe(5);
    expect(world.outcome("a")).toMatchObject({
      is: "failed",
      because: expect.stringContaining("fault of meshctl"),
    });
    expect(world.outcome("b").is).toBe("as wanted");
  });
});

describe.concurrent("what a person is told", () => {
  it("of a command that outlives its time names it, its limit and the host's words", async () => {
    const world = new World("a").inShell();
    world.put("a", "slow");
    const slow = valueStep({
      assess: (self, fleet) => ({
        readings: valueStep().assess(self, fleet).readings,
        changes: [{ id: "write", why: "x", commands: [], activate: [start(self.desired.directory, 1_000)] }],
      }),
    });
    expect(await world.run("provision", [slow])).toBe(1);
    expect(world.outcome("a").because).toBe(
      "value: write: start.sh did not end within 1 s and was stopped: it said nothing",
    );
  });

  it("of a change that could not even be prepared is why, and the run goes on", async () => {
    const world = new World("a", "b");
    const broken = valueStep({
      assess(self, fleet) {
        const file = new URL("file:///nonexistent/script.sh");
        const commands = [{ kind: "script", file, args: [], timeoutMs: 1_000 }] as const;
        const { readings, changes } = valueStep().assess(self, fleet);
        if (self.name === "b") return { readings, changes };
        return { readings, changes: [{ id: "write", why: "x", commands, activate: [] }] };
      },
    });
    expect(await world.run("provision", [broken])).toBe(5);
    expect(world.outcome("a").because).toContain("ENOENT");
    expect(world.outcome("b").is).toBe("as wanted");
  });

  it("of a proxy's password is nothing, and apt gets it by its environment", async () => {
    const world = new World("a").inShell();
    const proxy = new Secret("http://user:pass%22word@proxy:3128");
    const inventory = { ...world.inventory, network: { proxy, caCertificates: undefined } };
    const installing = valueStep({
      settle,
      assess: (self, fleet) => ({
        readings: valueStep().assess(self, fleet).readings,
        changes: [{ id: "p", why: "x", commands: [{ kind: "install", packages: ["p"] }], activate: [] }],
      }),
    });
    await world.run("provision", [installing], { inventory });
    expect(world.read("a", "proxy")).toBe(`${proxy.reveal()}\n`);
    expect(world.read("a", "apt-get")).not.toContain("pass");
    expect(JSON.stringify(world.events)).not.toContain("pass%22word");
  });
});

function converge(world: World, host: string): void {
  for (const name of ["disk", "live"]) world.put(host, name, "new");
}

function cut(world: World, host: string): void {
  world.remote(host).faultBefore = () => unreachable(host);
}
