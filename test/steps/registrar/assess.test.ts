import { describe, expect, it } from "vitest";
import { registrar } from "../../../src/steps/registrar/index.ts";
import { assessed, bare, child, desired, SESSION, seen, shown, userApi } from "./world.ts";

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
    [
      "the node names another port",
      [child({ endpoint: { host: "10.0.0.11", port: 9001, weight: undefined } })],
    ],
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
    const weighted = desired({ services: [{ ...userApi, weight: 50 }] });
    const endpoint = { host: "10.0.0.11", port: 9000, weight: 50 };
    expect(assessed(weighted, { children: [child({ endpoint })] }).open).toEqual([]);
    expect(assessed(weighted).row(SERVICE).inForce).toMatchObject({ value: "registered, weight none" });
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
