import { describe, expect, it } from "vitest";
import { haproxy } from "../../src/steps/haproxy/index.ts";
import { watcher } from "../../src/steps/watcher/index.ts";
import { zookeeper } from "../../src/steps/zookeeper/index.ts";
import * as onHaproxy from "./haproxy/host.ts";
import { healthOf, mariadb, stopped } from "./mysql/world.ts";
import * as onWatcher from "./watcher/world.ts";
import * as onZookeeper from "./zookeeper/world.ts";

/** "broken: WHY" or one word, for tables. */
const say = (health: { is: string; because?: string } | undefined) =>
  health === undefined ? "none" : [health.is, health.because].filter(Boolean).join(": ");

describe("a database", () => {
  const changing = (ActiveState: string) => ({ ActiveState, SubState: "x", MainPID: 4711 });
  it.each([
    ["runs and answers", {}, /^healthy$/],
    [
      "shuts down",
      { unit: changing("deactivating") },
      /^undecided: .*still deactivating.*systemctl status mariadb/,
    ],
    ["recovers", { unit: changing("activating") }, /^undecided: .*PID 4711/],
    ["runs and does not answer", { live: {}, liveError: "ERROR 2013" }, /^undecided: .*ERROR 2013/],
    ["is stopped", stopped, /^broken: mariadb.service does not run$/],
    ["has failed", { unit: { ActiveState: "failed", MainPID: 0 }, live: {} }, /^broken: .*does not come up/],
    [
      "is started again and again",
      { unit: { ActiveState: "activating", MainPID: 0, NRestarts: 2 }, live: {} },
      /^broken: /,
    ],
  ])("that %s", async (_, change, health) => {
    expect(say(await healthOf({ ...mariadb, ...change }))).toMatch(health);
  });
});

describe("a HAProxy", () => {
  const want = onHaproxy.desired();
  const failed = ["360 master 2 [failed: 1] 0d00h00m04s 2.6.12-1+deb12u4"];
  it.each([
    ["runs its file", {}, /^healthy$/],
    ["crashes every few seconds", { restarts: [4, 3] as const }, /^broken: .*3 s after 4 restarts/],
    ["is down", { active: "failed" }, /^broken: haproxy.service is failed/],
    ["refused its file", { processes: failed }, /^broken: reload failed, the old worker still serves/],
    [
      "runs another file",
      { info: { pid: "362", description: "x" } },
      /^broken: the worker runs with another/,
    ],
    ["is not installed", { load: "not-found", active: "inactive" }, /^none$/],
  ])("that %s", (_, probe, health) => {
    expect(say(haproxy.service!.health(onHaproxy.factsOf(want, probe)))).toMatch(health);
  });

  it("is restarted when the limit of its unit went back, and reloaded otherwise", () => {
    const args = (path: string) =>
      haproxy
        .service!.activate(onHaproxy.factsOf(want), [path])
        .flatMap((command) => (command.kind === "script" ? command.args : []));
    expect(args("/etc/haproxy/haproxy.cfg")).toEqual(["reload"]);
    expect(args("/etc/systemd/system/haproxy.service.d/meshctl.conf")).toEqual(["restart"]);
  });
});

describe("a watcher", () => {
  const want = onWatcher.desired();
  const result = (outcome: string) => ({ outcome, digest: "", message: "why" });
  it.each([
    ["follows", {}, /^healthy$/],
    ["wrote what HAProxy refuses", { install: result("invalid") }, /^broken: haproxy.cfg was not installed/],
    [
      "cannot reach ZooKeeper",
      { process: undefined, registry: { unreachable: "x" } },
      /^undecided: no member/,
    ],
    ["does not run", { process: undefined }, /^broken: meshctl-watcher.service/],
  ])("that %s", (_, facts, health) => {
    expect(say(watcher.service!.health({ ...onWatcher.seen(want), ...facts }))).toMatch(health);
  });
});

describe("a member of an ensemble", () => {
  const names = ["a", "b", "c"];
  const ids = { a: 1, b: 2, c: 3 };
  const desired = onZookeeper.desiredFor(names, "a");
  const whole = onZookeeper.member(desired, "a", ids, "follower");
  const seen = (model: onZookeeper.HostModel) => {
    const member = onZookeeper.fleetOf(names, { a: model }).get("a");
    if (member?.is !== "seen") throw new Error("a is not seen");
    return member.facts;
  };

  it.each([
    ["serves", whole, /^healthy$/],
    ["looks for a quorum", onZookeeper.member(desired, "a", ids, "looking"), /^undecided: .*looking/],
    ["does not answer", onZookeeper.member(desired, "a", ids, "silent"), /^undecided: /],
    ["does not run", { ...whole, runs: undefined, lastWords: "oops" }, /^broken: .*oops/],
    ["runs with another zoo.cfg", { ...whole, zooCfg: "tickTime=7\n" }, /^undecided: .*another zoo.cfg/],
  ])("that %s", (_, { runs, ...model }, health) => {
    expect(say(zookeeper.service!.health(seen(runs === undefined ? model : { ...model, runs })))).toMatch(
      health,
    );
  });

  it.each([
    [
      "the others have a quorum and it had time to join",
      ["leader", "follower"],
      61,
      /^broken: .*61 s after its start/,
    ],
    ["it had joined before", ["leader", "follower"], 86_400, /^undecided: /],
    ["it has just been started", ["leader", "follower"], 20, /^undecided: /],
    ["nobody has a quorum", ["looking", "looking"], 600, /^undecided: /],
  ] as const)("that looks for a quorum while %s", (_, [b, c], age, health) => {
    const state = (name: string, is: "leader" | "follower" | "looking") =>
      onZookeeper.member(onZookeeper.desiredFor(names, name), name, ids, is);
    const fleet = onZookeeper.fleetOf(names, {
      a: { ...state("a", "looking"), restarts: [0, age] },
      b: state("b", b),
      c: state("c", c),
    });
    const self = fleet.get("a");
    if (self?.is !== "seen") throw new Error("a is not seen");
    expect(say(zookeeper.service!.health(self.facts, { name: "a", desired: self.desired, fleet }))).toMatch(
      health,
    );
  });

  const zooCfg = "/etc/zookeeper/conf/zoo.cfg";
  const text = "dataDir=/d\nserver.1=a:1:2\n";
  it.each([
    ["its id", "/d/myid", "1", "2", /never goes back/],
    ["a first zoo.cfg", zooCfg, undefined, text, /none of meshctl's before/],
    ["another data directory", zooCfg, text.replace("/d", "/e"), text, /another dataDir/],
    ["other members", zooCfg, `${text}server.2=b:1:2\n`, text, /other members/],
    ["another tickTime", zooCfg, `${text}tickTime=7\n`, text, /^$/],
  ])("keeps or gives back %s", (_, path, before, now, because) => {
    expect(zookeeper.service!.keeps!({ path, before, now }, undefined) ?? "").toMatch(because);
  });

  it("restarts alone and only while the others serve, whatever it is restarted for", () => {
    const world = Object.fromEntries(
      names.map((name) => [
        name,
        onZookeeper.member(
          onZookeeper.desiredFor(names, name),
          name,
          ids,
          name === "c" ? "leader" : "follower",
        ),
      ]),
    );
    const next = (waiting: string[]) => zookeeper.service!.next!(waiting, onZookeeper.fleetOf(names, world));
    expect(next(["a", "b", "c"])).toEqual(["a"]);
    expect(next(["c"])).toEqual(["c"]);
    delete (world as Partial<typeof world>).b;
    expect(next(["a"])).toHaveProperty("hold");
  });
});
