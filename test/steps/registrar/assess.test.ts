import { describe, expect, it } from "vitest";
import type { UnitFact } from "../../../src/daemon/unit.ts";
import { assess } from "../../../src/steps/registrar/assess.ts";
import type { OwnService } from "../../../src/steps/registrar/desired.ts";
import { registrar } from "../../../src/steps/registrar/index.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { assessed, auth, bare, child, desired, endpoint, SESSION, seen, shown, userApi } from "./world.ts";

const NERVE_CONFIG = "/etc/meshctl/nerve.conf.json";
const left = { name: "app-01_0000000002", owner: "00000000000000aa" };

describe("Nerve on a host", () => {
  it("is left alone when all is as wanted", () => {
    expect(assessed(desired())).toMatchObject({ open: [], ids: [] });
  });

  it("comes to a bare host with ruby, the gems, and its files with a start", () => {
    const { ids, changes, row } = shown(desired(), bare(), new Map());
    expect(ids).toEqual(["packages", "gems", "configuration"]);
    expect(changes[2]!.disrupts).toBeUndefined();
    expect(row("service user-api")).toMatchObject({ verdict: "missing", because: "Nerve does not run" });
  });

  it.each([
    ["was started with an older configuration", { process: { startedWith: new Map([[NERVE_CONFIG, "0"]]) } }],
    ["is of a start that left no record", { process: { startedWith: undefined } }],
    ["runs other gems", { process: { commandLine: "/opt/meshctl/registrar/gems-old/bin/nerve" } }],
    ["is stopped", { unit: { active: "inactive" }, facts: { process: undefined } }],
    ["does not start at boot", { unit: { enabled: "disabled" } }],
  ])("is started again when it %s, and nothing else", (_, world) => {
    expect(assessed(desired(), world).ids).toEqual(["restart"]);
  });

  it("takes the place of a unit of before once it runs, and not while it is blocked", () => {
    const want = desired({ replaces: ["nerve.service"] });
    const runs = { load: "loaded", active: "active", enabled: "enabled" } as UnitFact;
    const replaced = new Map([["nerve.service", runs]]);
    const bareHost = shown(want, { ...bare(), replaced }, new Map());
    expect(bareHost.ids).toEqual(["packages", "gems", "configuration", "switch the Nerve of before off"]);
    expect(assessed(want, { facts: { replaced } }).changes).toMatchObject([
      { activate: [{ argv: ["systemctl", "disable", "--now", "nerve.service"] }] },
    ]);
    const file = {
      ...seen(want).files.get(NERVE_CONFIG)!,
      because: "Input/output error",
      content: undefined,
    };
    const files = new Map([...seen(want).files, [NERVE_CONFIG, file]]);
    expect(assessed(want, { facts: { replaced, files } }).ids).toEqual([]);
    const rests = new Map([["nerve.service", { ...runs, active: "inactive", enabled: "disabled" }]]);
    expect(assessed(want, { facts: { replaced: rests } })).toMatchObject({ open: [], ids: [] });
    expect(registrar.parameters.safeParse({ replaces: ["meshctl-registrar.service"] }).success).toBe(false);
  });

  it("is not started again when systemd only has to read its unit's files", () => {
    const { ids, row } = assessed(desired(), { unit: { needDaemonReload: true } });
    expect(ids).toEqual(["daemon-reload"]);
    expect(row("/etc/systemd/system/meshctl-registrar.service")).toMatchObject({
      verdict: "not-in-force",
      closedBy: { change: "daemon-reload" },
    });
  });

  it("gets its configuration back where somebody left a service of it empty", () => {
    const file = seen(desired()).files.get(NERVE_CONFIG)!;
    const emptied = { ...file, sha256: "0", content: '{"services":{"user-api":null}}' };
    const files = new Map([...seen(desired()).files, [NERVE_CONFIG, emptied]]);
    const { ids, row } = assessed(desired(), { facts: { files } });
    expect(ids).toEqual(["configuration"]);
    expect(row("service user-api").onDisk).toMatchObject({ is: "absent" });
  });

  it("is switched off where the inventory gives it no service", () => {
    const want = desired({ services: [] });
    const { ids, row } = shown(want, seen(desired()));
    expect(ids).toEqual(["switch the registrar off"]);
    expect(row("meshctl-registrar.service").want).toBe("off");
    expect(shown(want, bare())).toMatchObject({ ids: [], open: [] });
  });

  it("starts on new hosts at once, and starts again on one host after the other", () => {
    const want = desired();
    const host = {} as never;
    const fleet = new Map([
      ["old-01", { is: "seen", desired: want, facts: seen(want), host } as const],
      ["new-01", { is: "seen", desired: want, facts: bare(), host } as const],
      ["old-02", { is: "seen", desired: want, facts: seen(want), host } as const],
      ["new-02", { is: "seen", desired: want, facts: bare(), host } as const],
    ]);
    expect(registrar.next([...fleet.keys()], fleet)).toEqual(["new-01", "new-02"]);
    expect(registrar.next(["old-01", "old-02"], fleet)).toEqual(["old-01"]);
  });
});

describe("a service", () => {
  const SERVICE = "service user-api";

  it("is in force as a node of the session of the Nerve that runs, and says which", () => {
    const { row } = assessed(desired());
    expect(row(SERVICE)).toMatchObject({
      verdict: "proven",
      inForce: { value: "registered", source: "ZooKeeper /services/user-api/app-01_0000000003" },
    });
    expect(row(SERVICE).warning).toBeUndefined();
  });

  it.each([
    ["there is no node", []],
    ["the only node is an earlier Nerve's", [child(left)]],
    ["the only node is of another session with the same name", [child({ owner: "00000000000000aa" })]],
    ["the node outlives its maker", [child({ owner: undefined })]],
    ["the node names another port", [child({ endpoint: endpoint({ port: 9001 }) })]],
    ["the node says nothing that Synapse understands", [child({ endpoint: undefined })]],
  ])("that is healthy is not registered when %s, and a restart is tried", (_, children) => {
    const { row, ids } = assessed(desired(), { children });
    expect(row(SERVICE)).toMatchObject({ verdict: "not-in-force", inForce: { value: "not registered" } });
    expect(ids).toEqual(["restart"]);
  });

  it("is waited for when Nerve has just been started", () => {
    const { ids, row } = assessed(desired(), { children: [], process: { ageSeconds: 3 } });
    expect(ids).toEqual([]);
    expect(row(SERVICE)).toMatchObject({ verdict: "not-in-force", because: "Nerve was started 3 s ago" });
  });

  it("whose health check fails is rightly left out, with a warning that says why", () => {
    const { row, ids, open } = assessed(desired(), {
      children: [],
      failing: "10.0.0.11:9000: Connection refused",
    });
    expect(ids).toEqual([]);
    expect(open).toEqual([]);
    expect(row(SERVICE).inForce).toMatchObject({ value: "left out, not healthy" });
    expect(row(SERVICE).warning).toContain("not healthy here, so it is not registered: 10.0.0.11:9000");
  });

  it("that has never been registered is not proven, and no restart is tried", () => {
    const { row, ids } = assessed(desired(), {
      children: [],
      failing: "10.0.0.11:9000: Connection refused",
      facts: { nodes: new Map() },
    });
    expect(ids).toEqual([]);
    expect(row(SERVICE)).toMatchObject({
      verdict: "not-in-force",
      because: expect.stringMatching(
        /not registered it once .* 10\.0\.0\.11:9000: Connection refused\. Start the service/,
      ),
    });
  });

  it.each([
    ["Nerve's own", child(), "Nerve has not taken it out yet"],
    ["an earlier Nerve's", child(left), "app-01_0000000002 is an earlier Nerve's and ends with its session"],
  ])(
    "whose health check fails is not as wanted while a node of %s is there, and no restart is tried",
    (_, node, words) => {
      const { row, ids } = assessed(desired(), { children: [node], failing: "status 500" });
      expect(row(SERVICE).verdict).toBe("not-in-force");
      expect(row(SERVICE).because).toContain(words);
      expect(ids).toEqual([]);
    },
  );

  it("is to have the weight that is asked for", () => {
    const weighted = desired({ services: [{ ...userApi, weight: 50, options: "weight 50" }] });
    const registered = child({ endpoint: endpoint({ weight: 50, options: "weight 50" }) });
    expect(assessed(weighted, { children: [registered] }).open).toEqual([]);
    expect(assessed(weighted).row(SERVICE).inForce).toMatchObject({
      value: "registered, weight none, no options",
    });
  });

  it("that somebody registered by hand for good is warned of", () => {
    const { row, ids } = assessed(desired(), {
      children: [child(), child({ name: "static", owner: undefined })],
    });
    expect(ids).toEqual([]);
    expect(row(SERVICE).verdict).toBe("proven");
    expect(row(SERVICE).warning).toContain("/services/user-api/static is not ephemeral");
  });

  it("cannot be told while no member of the ensemble answers, and no restart is tried", () => {
    const world = {
      facts: { registry: { unreachable: "10.0.0.2:2181: Connection refused" } },
      process: { sessions: [] },
    };
    const { row, ids } = assessed(desired(), world);
    expect(row(SERVICE).verdict).toBe("unknown");
    expect(row("ZooKeeper session").because).toContain("no member of the ensemble answers");
    expect(ids).toEqual([]);
  });

  it("that Nerve's file on disk knows under another port is put right there", () => {
    const other = desired({ services: [{ ...userApi, port: 9001 }] });
    const { row, ids } = shown(desired(), { ...seen(desired()), files: seen(other).files });
    expect(row(SERVICE)).toMatchObject({ onDisk: { value: "/services/user-api, port 9001" } });
    expect(ids).toEqual(["configuration"]);
  });

  it("of another session id is not taken for this Nerve's", () => {
    const nodes = new Map([["user-api", { path: "/services/user-api/app-01_0000000003", session: "0" }]]);
    expect(SESSION).not.toBe("0");
    expect(assessed(desired(), { facts: { nodes } }).row(SERVICE).verdict).toBe("not-in-force");
  });
});

describe("several instances of a service on one host", () => {
  const instance = (port: number, more: Partial<OwnService> = {}): OwnService => ({
    ...userApi,
    key: `user-api:${port}`,
    port,
    check: { ...userApi.check, port },
    ...more,
  });
  const node = (port: number) => `app-01_000000000${port - 9000}`;
  const two = [instance(9001), instance(9002)];
  const want = desired({ services: two });
  const nodes = new Map(
    [9001, 9002].map((port) => [
      `user-api:${port}`,
      { path: `/services/user-api/${node(port)}`, session: SESSION },
    ]),
  );
  const children = [9001, 9002].map((port) => child({ name: node(port), endpoint: endpoint({ port }) }));
  const well = new Map([
    ["user-api:9001", ""],
    ["user-api:9002", ""],
  ]);
  const [one, other] = ["service user-api, port 9001", "service user-api, port 9002"];

  it("have a row each, with the node that is its own", () => {
    const { open, row } = assessed(want, { children, facts: { nodes, failing: well } });
    expect(open).toEqual([]);
    expect(row(one).inForce).toMatchObject({
      value: "registered",
      source: `ZooKeeper /services/user-api/${node(9001)}`,
    });
    expect(row(other).inForce).toMatchObject({ source: `ZooKeeper /services/user-api/${node(9002)}` });
  });

  it("are told apart when one dies: it alone is left out, and no restart takes the other with it", () => {
    const failing = new Map([...well, ["user-api:9002", "10.0.0.11:9002: Connection refused"] as const]);
    const { row, ids, open } = assessed(want, { children: [children[0]!], facts: { nodes, failing } });
    expect({ ids, open }).toEqual({ ids: [], open: [] });
    expect(row(one)).toMatchObject({ inForce: { value: "registered" } });
    expect(row(one).warning).toBeUndefined();
    expect(row(other)).toMatchObject({ inForce: { value: "left out, not healthy" } });
    expect(row(other).warning).toContain("10.0.0.11:9002: Connection refused");
  });

  it("are not taken for one another: a healthy one that is not there is missing", () => {
    const { row } = assessed(want, { children: [children[0]!], facts: { nodes, failing: well } });
    expect(row(one).verdict).toBe("proven");
    expect(row(other)).toMatchObject({ verdict: "not-in-force", inForce: { value: "not registered" } });
  });

  it("have one row of who may change their path", () => {
    const open = ["own:31 world:anyone:5", "own:31 world:anyone:1"];
    const acls = new Map([
      ["/services", open[0]!],
      ...["/services/user-api", ...children.map(({ name }) => `/services/user-api/${name}`)].map(
        (path) => [path, open[1]!] as const,
      ),
    ]);
    const secured = desired({ services: two, auth });
    const facts = { ...seen(secured, { children }), nodes, failing: well, acls };
    const { readings } = assess({ name: "app-01", desired: secured, facts, host: bookwormHost() }, new Map());
    const settings = readings.map(({ setting }) => setting);
    expect(settings.filter((each) => each.startsWith("ACL of "))).toHaveLength(2);
    expect(new Set(settings).size).toBe(settings.length);
  });

  it("may be of two services that share path and port, told apart by the node that Nerve made", () => {
    const api = instance(9001, { key: "user-api", labels: { kind: "api" } });
    const admin = instance(9001, { name: "admin", key: "admin", labels: { kind: "admin" } });
    const both = desired({ services: [api, admin] });
    const of = (name: string, service: string, kind: string) =>
      child({ name, service, endpoint: endpoint({ port: 9001, labels: { kind } }) });
    const listed = ["user-api", "admin"].flatMap((service) => [
      of("app-01_1", service, "api"),
      of("app-01_2", service, "admin"),
    ]);
    const made = new Map([
      ["user-api", { path: "/services/user-api/app-01_1", session: SESSION }],
      ["admin", { path: "/services/user-api/app-01_2", session: SESSION }],
    ]);
    const failing = new Map([
      ["user-api", ""],
      ["admin", ""],
    ]);
    expect(assessed(both, { children: listed, facts: { nodes: made, failing } }).open).toEqual([]);
  });

  it.each([
    ["labels", { labels: { kind: "api" } }, "registered, no labels"],
    ["options", { options: "backup" }, "registered, no options"],
  ])("are not proven while their %s are not what ZooKeeper has", (_, more, value) => {
    const { row } = assessed(desired({ services: [{ ...userApi, ...more }] }));
    expect(row("service user-api")).toMatchObject({ verdict: "not-in-force", inForce: { value } });
  });
});
