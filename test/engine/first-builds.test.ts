import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type ValueStep, valueStep, World } from "./world/world.ts";

// Whole runs, on one host in a real shell.
vi.setConfig({ testTimeout: 300_000 });

/** As systemd does it, as far as the scripts of a build ask for it: one unit, whose state lies in the host's folder. */
const SYSTEMD_RUN = `#!/bin/sh
for word; do
  case $word in
  --property=StandardInput=file:*) input=\${word#*file:} ;;
  --property=StandardOutput=file:*) output=\${word#*file:} ;;
  --property=StandardError=file:*) errors=\${word#*file:} ;;
  esac
done
[ ! -e "$HOME/no-units" ] || exit 1
rm -f "$HOME/status"
(
  sh "$word" <"$input" >"$output" 2>"$errors"
  echo $? >"$HOME/status"
) </dev/null >/dev/null 2>&1 &
echo $! >"$HOME/pid"
`;
const SYSTEMCTL = `#!/bin/sh
state=running
[ ! -e "$HOME/status" ] || state=$(grep -qx 0 "$HOME/status" && echo exited || echo failed)
case "$*" in
*=MainPID*) [ "$state" = running ] && cat "$HOME/pid" || echo 0 ;;
*=SubState*) echo "$state" ;;
*=ExecMainStatus*) cat "$HOME/status" ;;
*=Result*) grep -qx 0 "$HOME/status" && echo success || echo exit-code ;;
stop*|reset-failed*) echo "$*" >>"$HOME/stopped" ;;
esac
`;

/** Hosts "a" and "b", whose packages hold Ruby; what is built is built on "b", by a real shell. */
function world(): World {
  const made = new World("a", "b").inShell(["b"]);
  for (const [name, text] of Object.entries({ "systemd-run": SYSTEMD_RUN, systemctl: SYSTEMCTL })) {
    made.put("b", `bin/${name}`, text);
    chmodSync(join(made.remote("b").directory, "bin", name), 0o755);
  }
  return made;
}

/** A step that puts on "a" what is built on "b" with a package that is there, or not. */
function placing(of: World, buildPackages = ["ruby"]): ValueStep {
  const directory = of.remote("b").directory;
  const build = {
    file: new URL("./world/build-beside.sh", import.meta.url),
    args: [directory],
    timeoutMs: 60_000,
  };
  const artefact = { key: "k.tar.gz", buildHost: "b", buildPackages, build };
  return valueStep({
    name: "placing",
    async look(reader, { directory }) {
      const placed = await reader.stat(`${directory}/placed`);
      return { disk: "", live: "", count: placed.is === "value" ? 1 : 0, isBlocked: false };
    },
    assess({ desired, facts }) {
      const isThere = facts.count === 1;
      const place = { kind: "place", path: `${desired.directory}/placed`, artefact } as const;
      const change = { id: "place", why: "it is not there", commands: [place], activate: [] };
      const reading = {
        setting: "what is built",
        want: "there",
        onDisk: { is: "read", value: isThere ? "there" : "missing", source: "disk" },
        inForce: { is: "inapplicable" },
        closedBy: isThere ? undefined : { change: change.id },
      } as const;
      return { readings: [reading], changes: isThere ? [] : [change] };
    },
  });
}

/** Both hosts get their value first, and then "a" what is built. */
async function run(of: World, step: ValueStep, changed: Parameters<World["run"]>[2] = {}): Promise<number> {
  const parameters = (hosts: readonly string[]) => new Map(hosts.map((host) => [host, "new"]));
  const plays = [
    { hosts: ["a", "b"], steps: [{ step: valueStep(), parameters: parameters(["a", "b"]) }] },
    { hosts: ["a"], steps: [{ step, parameters: parameters(["a"]) }] },
  ];
  return of.run("provision", [], { job: { plays }, ...changed });
}

describe.concurrent("a build", () => {
  it("is begun before the first step, and goes on beside the changes of its host", async () => {
    const hosts = world();
    expect(await run(hosts, placing(hosts))).toBe(0);
    expect(hosts.read("a", "placed")).toBe("old then new");
    expect(hosts.read("b", "builds")).toBe("began\n");
    // Nothing of it is left.
    expect(hosts.list("b", "run/meshctl/build")).toEqual([]);
    expect(hosts.read("b", "stopped")).toMatch(/^stop meshctl-build-[0-9a-f]{16}\.service$/m);
  });

  it("that fails tells so at its step, and is made there the next time", async () => {
    const hosts = world();
    hosts.put("b", "broken");
    expect(await run(hosts, placing(hosts))).toBe(5);
    expect(hosts.outcome("a").because).toMatch(/^placing: building k\.tar\.gz on b.*the compiler is broken/s);
    expect(hosts.outcome("b").is).toBe("as wanted");
    expect(hosts.read("b", "live")).toBe("new");
    hosts.remove("b", "broken");
    hosts.remove("b", "status");
    hosts.put("a", "live", "old");
    hosts.put("b", "live", "old");
    expect(await run(hosts, placing(hosts))).toBe(0);
    expect(hosts.read("a", "placed")).toBe("old then new");
  });

  it("that a run which stopped has begun is waited for by the next", async () => {
    const hosts = world();
    const stop = new AbortController();
    const emit = (event: (typeof hosts.events)[number]) => {
      hosts.events.push(event);
      if (event.event === "changing") stop.abort();
    };
    expect(await run(hosts, placing(hosts), { emit, stop: stop.signal })).toBe(130);
    expect(hosts.has("a", "placed")).toBe(false);
    expect(await run(hosts, placing(hosts))).toBe(0);
    expect(hosts.read("b", "builds")).toBe("began\n");
    expect(hosts.read("a", "placed")).toBe("old then new");
  });

  it("that failed for a run which stopped is begun anew by the next, with what other builds left taken away", async () => {
    const hosts = world();
    hosts.put("b", "broken");
    const stop = new AbortController();
    const emit = (event: (typeof hosts.events)[number]) => {
      hosts.events.push(event);
      if (event.event === "changing") stop.abort();
    };
    expect(await run(hosts, placing(hosts), { emit, stop: stop.signal })).toBe(130);
    await vi.waitFor(() => expect(hosts.has("b", "status")).toBe(true), { timeout: 120_000, interval: 50 });
    hosts.remove("b", "broken");
    hosts.put("b", "run/meshctl/build/other/input", "of another meshctl");
    hosts.put("b", "go");
    expect(await run(hosts, placing(hosts))).toBe(0);
    expect(hosts.read("b", "builds")).toBe("began\nbegan\n");
    expect(hosts.read("b", "stopped")).toMatch(/^reset-failed meshctl-build-\*\.service$/m);
    expect(hosts.list("b", "run/meshctl/build")).toEqual([]);
  });

  it.each([
    ["lacks a package", ["gcc"], () => {}],
    ["begins no unit", ["ruby"], (hosts: World) => hosts.put("b", "no-units")],
  ] as const)("is made at its step where the host %s", async (_, packages, given) => {
    const hosts = world();
    given(hosts);
    // Nothing changes while it is built there.
    const step = placing(hosts, [...packages]);
    hosts.put("b", "run/meshctl/build/other/begun");
    const building = run(hosts, step);
    await vi.waitFor(() => expect(hosts.has("b", "builds")).toBe(true), { timeout: 120_000, interval: 50 });
    hosts.put("b", "go");
    expect(await building).toBe(0);
    expect(hosts.read("a", "placed")).toBe("new then new");
    expect(hosts.read("b", "stopped")).toMatch(/meshctl-build-\*/);
    expect(hosts.has("b", "run/meshctl/build")).toBe(false);
  });
});
