import { describe, expect, it, vi } from "vitest";
import type { Hooks } from "../../src/contract/hook.ts";
import { set, textAt, type ValueStep, valueStep, World } from "./world/world.ts";

// Two are whole runs in a real shell.
vi.setConfig({ testTimeout: 300_000 });

/** A step that wants a package of its name, and then its value. */
function installing(name: string, changed: Partial<ValueStep> = {}): ValueStep {
  const { look, assess } = valueStep();
  return valueStep({
    name,
    // What apt was asked for is what there is.
    look: async (reader, desired) => {
      const asked = await textAt(reader, `${desired.directory}/apt-get`);
      return { ...(await look(reader, desired)), count: asked.split(/\s/).includes(name) ? 1 : 0 };
    },
    assess(self, fleet) {
      const { readings, changes } = assess(self, fleet);
      const isThere = self.facts.count === 1;
      const commands = [{ kind: "install", packages: [name] }] as const;
      const install = { id: "packages", why: `${name} is not there`, commands, activate: [] };
      const row = {
        setting: "package",
        want: "installed",
        onDisk: { is: "read", value: isThere ? "installed" : "not", source: "dpkg" },
        inForce: { is: "inapplicable" },
        closedBy: isThere ? undefined : { change: install.id },
      } as const;
      return { readings: [row, ...readings], changes: isThere ? changes : [install, ...changes] };
    },
    ...changed,
  });
}

function world(...hosts: string[]): World {
  const made = new World(...hosts);
  for (const host of hosts) made.put(host, "apt-get");
  return made;
}

/** A run whose steps are each on hosts of its own. */
async function run(
  { hosts, on }: { readonly hosts: World; readonly on: readonly [ValueStep, readonly string[], Hooks?][] },
  changed: Parameters<World["run"]>[2] = {},
): Promise<number> {
  const plays = on.map(([step, names, hooks]) => {
    const parameters = new Map(names.map((name) => [name, "new"]));
    return { hosts: names, steps: [{ step, parameters, ...(hooks && { hooks }) }] };
  });
  return hosts.run("provision", [], { job: { plays }, ...changed });
}

/** "step one", "changing a packages" and the like, in their order. */
const story = (of: World) =>
  of.events.flatMap((event) => {
    if (event.event === "step") return [`step ${event.step}`];
    return event.event === "changing" ? [`${event.step} ${event.host} ${event.change.id}`] : [];
  });

/** What apt was asked to install, run by run. */
const installs = (of: World, host: string) =>
  of
    .read(host, "apt-get")
    .split("\n")
    .flatMap((line) => / install (.*)$/.exec(line)?.[1] ?? []);

describe.concurrent("packages", () => {
  it("of all steps come first, on all hosts at once and in one apt run each", async () => {
    const hosts = world("a", "b");
    expect(
      await run({
        hosts,
        on: [
          [installing("one"), ["a"]],
          [installing("two"), ["a", "b"]],
        ],
      }),
    ).toBe(0);
    const told = story(hosts);
    expect(told.slice(0, 3).sort()).toEqual(["one a packages", "step packages", "two b packages"]);
    expect(told.slice(3)).toEqual(["step one", "one a write", "step two", "two b write"]);
    expect(installs(hosts, "a")).toEqual(["one two"]);
    expect(installs(hosts, "b")).toEqual(["two"]);
  });

  it("are no step of their own where none are missing", async () => {
    const hosts = world("a");
    hosts.put("a", "apt-get", "one");
    expect(await run({ hosts, on: [[installing("one"), ["a"]]] })).toBe(0);
    expect(story(hosts)).toEqual(["step one", "one a write"]);
  });

  it("go to no host that a step is not to change", async () => {
    const hosts = world("a", "b");
    hosts.put("a", "blocked");
    expect(
      await run({
        hosts,
        on: [
          [installing("one"), ["a", "b"]],
          [valueStep({ name: "two" }), ["a"]],
        ],
      }),
    ).toBe(5);
    expect(installs(hosts, "a")).toEqual([]);
    expect(installs(hosts, "b")).toEqual(["one"]);
  });

  it("come behind what a step tells apt", async () => {
    const hosts = world("a");
    const sources = valueStep({
      name: "sources",
      assess(self, fleet) {
        const { readings, changes } = valueStep().assess(self, fleet);
        const write = {
          kind: "write",
          path: `${self.desired.directory}/etc/apt/sources.list.d/x.list`,
          content: ["deb x\n"],
          mode: "0644",
          owner: "root:root",
        } as const;
        return {
          readings,
          changes: changes.map((each) => ({ ...each, commands: [write, ...each.commands] })),
        };
      },
    });
    await run({
      hosts,
      on: [
        [sources, ["a"]],
        [installing("one"), ["a"]],
      ],
    });
    expect(story(hosts).slice(0, 2)).toEqual(["step sources", "sources a write"]);
  });

  it("wait for what is to run before their step, and ride with no other's", async () => {
    const hosts = world("a");
    const before = [{ command: 'cp "$HOME/apt-get" "$HOME/then"', timeoutMs: 60_000, per: "host" } as const];
    expect(
      await run({
        hosts,
        on: [
          [installing("one"), ["a"]],
          [installing("two"), ["a"], { before, after: [] }],
        ],
      }),
    ).toBe(0);
    expect(installs(hosts, "a")).toEqual(["one", "two"]);
    expect(hosts.read("a", "then")).toMatch(/ install one$/m);
    expect(hosts.read("a", "then")).not.toMatch(/two/);
  });

  it("are installed in turn where a step says so", async () => {
    const hosts = world("a", "b");
    const next: ValueStep["next"] = (waiting) => waiting.slice(0, 1);
    expect(await run({ hosts, on: [[installing("one", { next }), ["a", "b"]]] })).toBe(0);
    expect(story(hosts)).toEqual([
      "step packages",
      "one a packages",
      "step one",
      "one a write",
      "one b packages",
      "one b write",
    ]);
  });

  it("of a build come with those of its host, unless what it makes is in the store", async () => {
    const build = { file: new URL("./world/build.sh", import.meta.url), args: [], timeoutMs: 60_000 };
    const artefact = { key: "k.tar.gz", buildHost: "b", buildPackages: ["gcc"], build };
    const placing = installing("one", {
      assess(self, fleet) {
        const { readings, changes } = installing("one").assess(self, fleet);
        const place = { kind: "place", path: `${self.desired.directory}/placed`, artefact } as const;
        const commands = [place, set(self.desired.directory, "new")];
        return {
          readings,
          changes: changes.map((each) => (each.id === "write" ? { ...each, commands } : each)),
        };
      },
    });
    const hosts = world("a", "b").inShell();
    expect(await run({ hosts, on: [[placing, ["a", "b"]]] })).toBe(0);
    expect(installs(hosts, "a")).toEqual(["one"]);
    expect(installs(hosts, "b")[0]).toBe("one gcc");
    hosts.put("b", "apt-get");
    hosts.put("b", "live", "old");
    expect(await run({ hosts, on: [[placing, ["a", "b"]]] })).toBe(0);
    expect(installs(hosts, "b")).toEqual(["one"]);
  });

  it("that do not come fail their host, and no other", async () => {
    const hosts = world("a", "b").inShell();
    hosts.put("a", "bin/apt-get", '#!/bin/sh\ncase " $* " in *" install "*) exit 100 ;; esac\n');
    expect(await run({ hosts, on: [[installing("one"), ["a", "b"]]] })).toBe(5);
    expect(hosts.outcome("a").is).toBe("failed");
    expect(hosts.outcome("a").because).toMatch(/^one: /);
    expect(hosts.outcome("b").is).toBe("as wanted");
  });

  it("are not begun by a run that is told to stop", async () => {
    const hosts = world("a");
    const stop = new AbortController();
    const confirm = async () => {
      stop.abort();
      return true;
    };
    expect(await run({ hosts, on: [[installing("one"), ["a"]]] }, { stop: stop.signal, confirm })).toBe(130);
    expect(installs(hosts, "a")).toEqual([]);
  });
});
