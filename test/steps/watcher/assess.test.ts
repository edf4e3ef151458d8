import { describe, expect, it } from "vitest";
import { sha256Of } from "../../../src/evidence/file.ts";
import { descriptionOf } from "../../../src/haproxy/settings.ts";
import { Secret, showContent } from "../../../src/secret.ts";
import { assess } from "../../../src/steps/watcher/assess.ts";
import {
  assessed,
  BARE,
  desired,
  HAPROXY_CONFIG,
  haproxyConfig,
  host,
  KEY,
  seen,
  service,
  shown,
  unit,
} from "./world.ts";

const SYNAPSE_CONFIG = "/etc/meshctl/synapse.conf.json";
const UNIT_FILE = "/etc/systemd/system/meshctl-watcher.service";

describe("the watcher's program", () => {
  it("leaves a converged host untouched", () => {
    expect(assessed(desired())).toMatchObject({ open: [], ids: [] });
  });

  it("installs ruby, then the gems, then everything else on a bare host", () => {
    const { ids, evidence, changes } = shown(desired(), BARE, host(BARE, {}, { packages: new Map() }));
    expect(ids).toEqual(["packages", "gems", "configuration"]);
    expect(new Set(evidence.map(({ verdict }) => verdict))).toEqual(new Set(["missing"]));
    expect(changes[1]!.why).toContain("built once on kvm-01");
    const written = changes[2]!.commands.flatMap((command) =>
      command.kind === "write" ? [command.path] : [],
    );
    expect(written.at(-1)).toBe(UNIT_FILE);
    expect(changes[2]!.disrupts).toBeUndefined();
  });

  it("knows which gems a release takes before ruby is installed", () => {
    const { row } = shown(desired(), BARE, host(BARE, {}, { packages: new Map() }));
    expect(row("gems").want).toBe(KEY);
    expect(KEY).toMatch(/^gems-bookworm-amd64-ruby3\.1-[0-9a-f]{8}$/);
  });

  it("repairs gems that are not as they were unpacked", () => {
    const { ids, row } = assessed(desired(), { facts: { builds: new Map([[KEY, "lib/zk.rb: FAILED"]]) } });
    expect(ids[0]).toBe("gems");
    expect(row("gems")).toMatchObject({
      verdict: "different",
      onDisk: { value: "damaged: lib/zk.rb: FAILED" },
    });
  });

  it("writes only the file that is wrong, and starts Synapse with it", () => {
    const { ids, changes, row, open } = assessed(desired(), { files: { [SYNAPSE_CONFIG]: "{}\n" } });
    expect(open).toEqual([SYNAPSE_CONFIG]);
    expect(row(SYNAPSE_CONFIG).diff).toMatchObject({ was: "{}\n" });
    expect(ids).toEqual(["configuration"]);
    expect(changes[0]!.disrupts).toEqual({ kind: "restart", what: "meshctl-watcher.service" });
    expect(changes[0]!.commands.flatMap((command) => ("path" in command ? [command.path] : []))).toEqual([
      SYNAPSE_CONFIG,
    ]);
  });

  it.each([
    [
      "was started with an older configuration",
      { process: { startedWith: new Map([[SYNAPSE_CONFIG, "0"]]) } },
    ],
    ["left no record of its start", { process: { startedWith: undefined } }],
    ["runs other gems", { process: { commandLine: "/opt/meshctl/watcher/gems-old/bin/synapse" } }],
    [
      "is stopped",
      { units: [unit("meshctl-watcher.service", { active: "inactive" })], facts: { process: undefined } },
    ],
    [
      "gave up",
      { units: [unit("meshctl-watcher.service", { active: "failed" })], facts: { process: undefined } },
    ],
    ["does not start at boot", { units: [unit("meshctl-watcher.service", { enabled: "disabled" })] }],
    ["has nobody to install for it", { units: [unit("meshctl-haproxy-install.path", { active: "failed" })] }],
  ])("restarts a Synapse that %s, and nothing else", (_, world) => {
    expect(assessed(desired(), world).ids).toEqual(["restart"]);
  });

  const SERVICE_UNIT = "/etc/systemd/system/meshctl-watcher.service";

  it("is not started again when systemd only has to read its unit's files", () => {
    const world = { units: [unit("meshctl-watcher.service", { needDaemonReload: true })] };
    const { ids, row } = assessed(desired(), world);
    expect(ids).toEqual(["daemon-reload"]);
    expect(row(SERVICE_UNIT)).toMatchObject({ verdict: "not-in-force", inForce: { value: "older files" } });
  });

  it("is left alone when a drop-in makes systemd start something else", () => {
    const path = `${SERVICE_UNIT}.d/x.conf`;
    const start = {
      commands: ["/root/x"],
      environment: [],
      environmentFiles: [],
      user: "",
      rootDirectory: "",
    };
    const startLines = [{ path, line: 3, key: "ExecStart" }];
    const world = { units: [unit("meshctl-watcher.service", { start, startLines, dropInPaths: [path] })] };
    const { ids, row } = assessed(desired(), world);
    expect(ids).toEqual([]);
    expect(row(SERVICE_UNIT)).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining(`${path}:3`),
    });
  });

  it("is switched off when no service has a path, for then haproxy.cfg is the haproxy step's", () => {
    const want = desired({
      services: [
        service({ discovery: { by: "inventory" }, servers: [{ name: "a", host: "10.0.0.9", port: 80 }] }),
      ],
    });
    expect(assessed(want).ids).toEqual(["switch the watcher off"]);
    const bare = shown(want, BARE, host(BARE));
    expect(bare.open).toEqual([]);
    expect(bare.ids).toEqual([]);
  });

  it("waits for systemd, which tries again by itself", () => {
    const world = {
      units: [unit("meshctl-watcher.service", { active: "activating", sub: "auto-restart", restarts: 3 })],
      facts: { process: undefined, lastError: "ZK::Exceptions::Timeout" },
    };
    const { ids, row } = assessed(desired(), world);
    expect(ids).toEqual([]);
    expect(row("meshctl-watcher.service")).toMatchObject({ verdict: "not-in-force" });
    expect(row("meshctl-watcher.service").because).toContain("ZK::Exceptions::Timeout");
  });

  it("does not believe in a Synapse that keeps being restarted", () => {
    const aged = (ageSeconds: number) => [unit("meshctl-watcher.service", { restarts: 7, ageSeconds })];
    expect(assessed(desired(), { units: aged(2) }).row("meshctl-watcher.service").inForce).toMatchObject({
      value: "running for 2 s after 7 restarts",
    });
    expect(assessed(desired(), { units: aged(60) }).open).toEqual([]);
  });

  it("builds on the first host of the same kind, or where it is told to", () => {
    const facts = seen(desired(), { facts: { builds: new Map() } });
    const trixie = host(
      facts,
      {},
      { os: { id: "debian", versionId: "13", codename: "trixie", prettyName: "" } },
    );
    const newer = { ...facts, ruby: "ruby3.3" };
    const builtOn = (name: string, buildHost?: string) => {
      const want = desired({ gemSource: { ...desired().gemSource, buildHost } });
      const fleet = new Map([
        ["new-01", { is: "seen", desired: want, facts: newer, host: trixie } as const],
        ["old-01", { is: "seen", desired: want, facts, host: host(facts) } as const],
        ["old-02", { is: "seen", desired: want, facts, host: host(facts) } as const],
        ["away-01", { is: "unseen", desired: want, because: "" } as const],
      ]);
      const self = name.startsWith("new") ? { facts: newer, host: trixie } : { facts, host: host(facts) };
      const place = assess({ name, desired: want, ...self }, fleet).changes[0]!.commands[0]!;
      return place.kind === "place" ? place.artefact.buildHost : undefined;
    };
    expect(builtOn("new-01")).toBe("new-01");
    expect(builtOn("old-02")).toBe("old-01");
    expect(builtOn("old-01", "old-02")).toBe("old-02");
    expect(builtOn("old-01", "away-01")).toBe("away-01");
    // Asked for, and seen not to fit.
    expect(builtOn("new-01", "old-02")).toBe("new-01");
  });

  it("gives the build the proxy's address as a secret", () => {
    const network = { proxy: new Secret("http://user:pass@proxy:3128"), caCertificates: "PEM\n" };
    const facts = seen(desired(), { facts: { builds: new Map() } });
    const place = shown(desired({ gemSource: { ...desired().gemSource, network } }), facts, host(facts))
      .changes[0]!.commands[0]!;
    if (place.kind !== "place") throw new Error("expected a place command");
    expect(showContent(place.artefact.build.stdin ?? [])).toBe("••••••\nPEM\n");
    expect(place.artefact.build.args.join(" ")).not.toContain("pass");
  });

  it("is refused on a host whose Ruby nobody has tried, before anything is changed", () => {
    const facts = { ...BARE, rubyCandidate: "ruby3.4" };
    const { row, ids } = shown(desired(), facts, host(facts, {}, { packages: new Map() }));
    expect(ids).toEqual([]);
    expect(row("package ruby")).toMatchObject({ verdict: "blocked" });
    expect(row("package ruby").because).toContain("Ruby is 3.4, newer than those that Synapse");
  });

  it("takes the gems from a folder of the control machine when there is one", () => {
    const facts = seen(desired(), { facts: { builds: new Map() } });
    const gemSource = { ...desired().gemSource, gemDirectory: "/gems" };
    const place = shown(desired({ gemSource }), facts, host(facts)).changes[0]!.commands[0]!;
    if (place.kind !== "place") throw new Error("expected a place command");
    expect(place.artefact.build.files).toContain("/gems/zookeeper-1.5.5.gem");
    expect(place.artefact.build.files).toHaveLength(8);
  });
});

const BEE = { bee: '{"host":"10.0.0.22","port":9001,"name":"bee"}' };

describe("what Synapse brings about", () => {
  const lone = { children: { x: '{"host":"10.0.0.21","port":9001}' }, onDisk: ["10.0.0.21:9001"] };

  it("takes a registered server that its health check marks DOWN for followed, and says so", () => {
    const { row } = assessed(desired(), { ...lone, inForce: { "10.0.0.21:9001": "DOWN" } });
    expect(row("service user-api")).toMatchObject({ verdict: "proven" });
    expect(row("service user-api").warning).toContain("DOWN by its health check: 10.0.0.21:9001");
  });

  it.each([
    ["drained", { inForce: { "10.0.0.21:9001": "DRAIN" } }, "state ready"],
    ["gave no weight", { weights: { "10.0.0.21:9001": 0 } }, "weight 1"],
    ["gave another weight", { weights: { "10.0.0.21:9001": 5 } }, "weight 1"],
    ["sent elsewhere", { addresses: { "10.0.0.21:9001": "6.6.6.6:9001" } }, "addr 10.0.0.21 port 9001"],
  ])(
    "does not take a server that somebody %s for in force, and says how to take it back",
    (_, world, order) => {
      const inForce = { "10.0.0.21:9001": "UP" };
      const { row, changes } = assessed(desired(), { ...lone, inForce, ...world });
      expect(row("service user-api").verdict).toBe("not-in-force");
      expect(row("service user-api").because).toContain(`set server user-api/10.0.0.21:9001 ${order}`);
      expect(changes).toEqual([]);
    },
  );

  it("takes a server for followed that is written with another weight before HAProxy has read it", () => {
    const world = {
      children: { x: '{"host":"10.0.0.21","port":9001,"haproxy_server_options":"weight 10"}' },
      onDisk: ["10.0.0.21:9001 weight 10"],
      inForce: { "10.0.0.21:9001": "UP" },
    };
    const older = `${descriptionOf(desired().settings)}-ffffffffffffffff`;
    expect(assessed(desired(), { ...world, description: older }).row("service user-api").verdict).toBe(
      "proven",
    );
    expect(assessed(desired(), world).row("service user-api").verdict).toBe("not-in-force");
  });

  it("takes a server that registered itself with weight 0 for followed", () => {
    const weightless = {
      children: { x: '{"host":"10.0.0.21","port":9001,"haproxy_server_options":"weight 0"}' },
      onDisk: ["10.0.0.21:9001 weight 0"],
      inForce: { "10.0.0.21:9001": "DRAIN" },
      weights: { "10.0.0.21:9001": 0 },
    };
    expect(assessed(desired(), weightless).row("service user-api").verdict).toBe("proven");
  });

  it("does not judge the address of a server that is registered by a name, and says where none is told", () => {
    const named = {
      children: { x: '{"host":"app.example","port":9001}' },
      onDisk: ["app.example:9001"],
      inForce: { "app.example:9001": "UP" },
      addresses: { "app.example:9001": "10.0.0.21:9001" },
    };
    expect(assessed(desired(), named).row("service user-api").verdict).toBe("proven");
    const old = { ...lone, inForce: { "10.0.0.21:9001": "UP" }, addresses: { "10.0.0.21:9001": undefined } };
    expect(assessed(desired(), old).row("service user-api")).toMatchObject({
      verdict: "proven",
      inForce: { is: "inferred" },
    });
  });

  it.each([
    ["another weight", { x: '{"host":"10.0.0.21","port":9001,"haproxy_server_options":"weight 10"}' }],
    ["options it did not have", { x: '{"host":"10.0.0.21","port":9001,"haproxy_server_options":"backup"}' }],
    ["none any more", lone.children],
  ])("restarts Synapse for a backend that gives itself %s, which Synapse does not hear of", (_, children) => {
    const { row, ids } = assessed(desired(), {
      ...lone,
      children,
      onDisk: ["10.0.0.21:9001 weight 5"],
      inForce: { "10.0.0.21:9001": "UP" },
      weights: { "10.0.0.21:9001": 5 },
    });
    expect(row("service user-api").verdict).toBe("different");
    expect(row("service user-api").because).toMatch(/^10\.0\.0\.21:9001 has "weight 5" where .* registered/);
    expect(ids).toEqual(["restart"]);
  });

  it("takes what a backend adds to the service's options for followed, however it is spaced", () => {
    const children = { x: '{"host":"10.0.0.21","port":9001,"haproxy_server_options":" weight  5 backup "}' };
    const world = {
      children,
      onDisk: ["10.0.0.21:9001 weight 5 backup"],
      inForce: { "10.0.0.21:9001": "UP" },
    };
    const { row } = assessed(desired(), { ...world, weights: { "10.0.0.21:9001": 5 } });
    expect(row("service user-api").verdict).toBe("proven");
  });

  it("does not count servers in maintenance, in the file or in the worker", () => {
    const { row } = assessed(desired(), {
      ...lone,
      onDisk: ["10.0.0.21:9001", "10.0.0.99:9001 disabled"],
      inForce: { "10.0.0.21:9001": "UP", "10.0.0.99:9001": "MAINT" },
    });
    expect(row("service user-api")).toMatchObject({ verdict: "proven", want: "10.0.0.21:9001" });
  });

  it.each([
    ["the worker", { ...lone, inForce: {} }, "not-in-force"],
    [
      "the file, so that a restart of HAProxy would lose it",
      { ...lone, onDisk: [], inForce: { "10.0.0.21:9001": "UP" } },
      "different",
    ],
  ])("restarts Synapse when a registered server is missing in %s", (_, world, verdict) => {
    const { row, ids } = assessed(desired(), world);
    expect(row("service user-api")).toMatchObject({ verdict, closedBy: { change: "restart" } });
    expect(ids).toEqual(["restart"]);
  });

  it("gives a new Synapse time before it thinks of another restart", () => {
    const { ids, row } = assessed(desired(), { ...lone, inForce: {}, process: { ageSeconds: 3 } });
    expect(ids).toEqual([]);
    expect(row("service user-api").because).toBe("Synapse was started 3 s ago");
  });

  it.each([
    ["keeps the last servers", desired(), { kept: true, children: {} }, "10.0.0.21:9001"],
    [
      "keeps them when even the path is gone",
      desired(),
      { kept: true, children: undefined },
      "10.0.0.21:9001",
    ],
    [
      "serves none when told to",
      desired({ whenEmpty: "serve_none" }),
      { kept: true, children: {} },
      "no server",
    ],
    ["has none to keep", desired(), { kept: false, children: {} }, "no server"],
    [
      "falls back on the inventory's servers",
      desired({ services: [service({ servers: [{ name: "spare", host: "10.0.0.50", port: 80 }] })] }),
      { kept: true, children: {} },
      "spare_10.0.0.50:80",
    ],
  ])("of a service that nobody is registered for: %s", (_, want, { kept, children }, names) => {
    const backends = kept ? [{ name: undefined, host: "10.0.0.21", port: 9001 }] : [];
    const facts = { kept: new Map([["user-api", { path: "/services/user-api", backends }]]) };
    expect(assessed(want, { children, facts }).row("service user-api").want).toBe(names);
  });

  it("does not keep what was registered at another path", () => {
    const backends = [{ name: undefined, host: "10.0.0.21", port: 9001 }];
    const facts = { kept: new Map([["user-api", { path: "/before/user-api", backends }]]) };
    expect(assessed(desired(), { children: {}, facts }).row("service user-api").want).toBe("no server");
  });

  it("serves meshctl's canary beside others, and never instead of what is kept", () => {
    const canary = { c: '{"host":"10.0.0.2","port":65100,"name":"meshctl-probe"}' };
    const kept = new Map([
      [
        "user-api",
        { path: "/services/user-api", backends: [{ name: undefined, host: "10.0.0.21", port: 9001 }] },
      ],
    ]);
    const want = (children: Record<string, string>) =>
      assessed(desired(), { children, facts: { kept } }).row("service user-api").want;
    expect(want({ ...lone.children, ...canary })).toBe("10.0.0.21:9001, meshctl-probe_10.0.0.2:65100");
    expect(want(canary)).toBe("10.0.0.21:9001");
  });

  it("names children that Synapse skips", () => {
    const { row } = assessed(desired(), {
      ...lone,
      children: { ...lone.children, bad: "nonsense", empty: "{}" },
      inForce: { "10.0.0.21:9001": "UP" },
    });
    expect(row("service user-api")).toMatchObject({ verdict: "proven" });
    expect(row("service user-api").warning).toContain(
      "left out of HAProxy: bad (its data is no JSON), empty (its data has no host and port) in /services/user-api",
    );
  });

  it("leaves out what a backend must not say of itself, and names the node, the word and what to do", () => {
    const evil = '{"host":"10.0.0.66","port":9,"haproxy_server_options":"source 0.0.0.0 usesrc clientip"}';
    const { row, ids } = assessed(desired(), {
      ...lone,
      children: { ...lone.children, evil },
      inForce: { "10.0.0.21:9001": "UP" },
    });
    expect(ids).toEqual([]);
    expect(row("service user-api")).toMatchObject({
      verdict: "proven",
      want: "10.0.0.21:9001",
      warning:
        'left out of HAProxy: evil (option "source" is not allowed) in /services/user-api. Mend what it registers, ' +
        "or allow the option in the inventory: mesh.services.user-api.server_options_allowed",
    });
  });

  it("names a few of many that are left out", () => {
    const bad = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`bad-${at}`, "x"]));
    const { row } = assessed(desired(), { ...lone, children: { ...lone.children, ...bad } });
    expect(row("service user-api").warning).toContain("bad-3 (its data is no JSON) and 5 more in");
  });

  it("keeps no last server that may not say what it says", () => {
    const evil = { name: "evil", host: "10.0.0.66", port: 9, options: "source 0.0.0.0 usesrc clientip" };
    const good = { name: undefined, host: "10.0.0.21", port: 9001, options: "weight 5" };
    const kept = new Map([["user-api", { path: "/services/user-api", backends: [evil, good] }]]);
    expect(assessed(desired(), { children: {}, facts: { kept } }).row("service user-api").want).toBe(
      "10.0.0.21:9001",
    );
  });

  it("does not miss a server that asks to be disabled", () => {
    const children = { x: '{"host":"10.0.0.21","port":9001,"haproxy_server_options":"disabled"}', ...BEE };
    const { row } = assessed(desired(), {
      children,
      onDisk: ["10.0.0.21:9001 disabled", "bee_10.0.0.22:9001"],
      inForce: { "10.0.0.21:9001": "MAINT", "bee_10.0.0.22:9001": "UP" },
    });
    expect(row("service user-api")).toMatchObject({ verdict: "proven", want: "bee_10.0.0.22:9001" });
  });

  it("takes the one that says less of two by the same name", () => {
    const again = '{"host":"10.0.0.21","port":"9001","haproxy_server_options":"weight 5"}';
    const { row } = assessed(desired(), {
      ...lone,
      children: { a: again, ...lone.children, z: again },
      inForce: { "10.0.0.21:9001": "UP" },
    });
    expect(row("service user-api").verdict).toBe("proven");
  });

  it.each([
    ["outside", "the name leads where no backend may be"],
    ["refused", "HAProxy does not take the server"],
    ["policy", "its own settings are not allowed"],
  ])("tells why the installer left a server out: %s", (code, words) => {
    const message = "installed without user-api/bee_app:9001: for a reason";
    const install = {
      outcome: "ok",
      digest: "",
      message,
      leftOut: [{ server: "user-api/bee_app:9001", code }],
    };
    const { row, ids } = assessed(desired(), {
      ...lone,
      children: { ...lone.children, y: '{"host":"app","port":9001,"name":"bee"}' },
      inForce: { "10.0.0.21:9001": "UP" },
      facts: { install: { ...install, digest: sha256Of(haproxyConfig(desired(), lone.onDisk)) } },
    });
    expect(row("service user-api").because).toContain(`bee_app:9001: ${words}`);
    expect(row("service user-api").because).toContain(message);
    expect(ids).toEqual([]);
  });

  it("knows nothing of the servers while no member answers, and restarts nothing for it", () => {
    const facts = { registry: { unreachable: "10.0.0.2:2181: Connection refused" } };
    const { row, ids } = assessed(desired(), { facts, process: { sessions: [] } });
    expect(row("service user-api").verdict).toBe("unknown");
    expect(row("ZooKeeper session").because).toContain("no member of the ensemble answers");
    expect(ids).toEqual([]);
  });

  it("leaves a HAProxy that is down to the haproxy step", () => {
    const services = [service(), service({ name: "order-api", port: 8081 })];
    const { evidence, ids } = assessed(desired({ services }), {
      facts: { haproxy: { unreachable: "Connection refused" } },
    });
    // Said once, not for every service.
    const saying = evidence.filter(({ because }) => because?.includes("the haproxy step starts it"));
    expect(saying.map(({ setting }) => setting)).toEqual(["haproxy.cfg"]);
    expect(ids).toEqual([]);
  });

  it("shows HAProxy's own words against a candidate, and does not try the same again", () => {
    const install = { outcome: "invalid", digest: "", message: "[ALERT] could not resolve address 'x'" };
    const { row, ids } = assessed(desired(), { ...lone, inForce: {}, facts: { install } });
    expect(row("Synapse's last candidate")).toMatchObject({ verdict: "different", because: install.message });
    expect(ids).toEqual([]);
  });

  it("names a server whose name does not resolve on the host, and does not restart Synapse for it", () => {
    const leftOut = [{ server: "user-api/bee_nowhere:9001", code: "unresolved" }];
    const install = { outcome: "ok", digest: "", message: "installed without bee_nowhere:9001", leftOut };
    const { row, ids } = assessed(desired(), {
      ...lone,
      children: { ...lone.children, y: '{"host":"nowhere","port":9001,"name":"bee"}' },
      inForce: { "10.0.0.21:9001": "UP" },
      facts: { install: { ...install, digest: sha256Of(haproxyConfig(desired(), lone.onDisk)) } },
    });
    expect(row("service user-api")).toMatchObject({
      verdict: "different",
      because: expect.stringContaining("bee_nowhere:9001: the name does not resolve on this host"),
    });
    expect(row("Synapse's last candidate")).toMatchObject({ verdict: "proven", warning: install.message });
    expect(ids).toEqual([]);
  });

  it("sees a candidate that still waits", () => {
    const { open, ids } = assessed(desired(), { facts: { waiting: ["haproxy.cfg"] } });
    expect(open).toEqual(["Synapse's last candidate"]);
    expect(ids).toEqual(["restart"]);
  });

  it("takes a change of servers over the socket for in force without a reload", () => {
    const want = desired();
    const older = `meshctl-${haproxyConfig(want, []).match(/meshctl-([0-9a-f]{64})/)![1]}-ffffffffffffffff`;
    expect(assessed(want, { description: older }).open).toEqual([]);
  });

  it("sees a reload that failed although the file is in place", () => {
    const message = "the old worker serves on: cannot bind socket";
    const reload = { outcome: "failed", digest: "", message, worker: 388 };
    const description = `meshctl-${"0".repeat(64)}-ffffffffffffffff`;
    const { row, ids } = assessed(desired(), { description, facts: { reload } });
    expect(row("Synapse's last candidate")).toMatchObject({
      verdict: "not-in-force",
      because: reload.message,
    });
    expect(row("haproxy.cfg").verdict).toBe("not-in-force");
    expect(ids).toEqual(["restart"]);
  });

  it("tells a HAProxy that was loaded with another file than the one that is there again", () => {
    const want = desired();
    const text = haproxyConfig(want, []).replace("retries 3", "retries 9");
    const { row, ids } = assessed(want, { loaded: text });
    expect(row("haproxy.cfg")).toMatchObject({
      verdict: "not-in-force",
      inForce: { value: "1 settings differ", source: "/run/meshctl/haproxy-loaded" },
      because:
        "HAProxy was loaded with another haproxy.cfg: defaults retries: retries 9 where retries 3 is wanted",
    });
    expect(ids).toEqual(["restart"]);
  });

  it.each([
    ["with other servers, for the socket has changed them since", haproxyConfig(desired(), ["x_10.0.0.9:1"])],
    ["with nothing that is on record, which is the haproxy step's to mend", undefined],
  ])("believes the worker's description when it was loaded %s", (_, loaded) => {
    expect(assessed(desired(), { loaded }).open).toEqual([]);
  });

  it("forgets a failed reload once another worker serves, although the file has other servers by now", () => {
    const want = desired();
    const older = haproxyConfig(want, []).match(/meshctl-[0-9a-f]{64}/)![0];
    const reload = { outcome: "failed", digest: "", message: "cannot bind socket", worker: 387 };
    expect(assessed(want, { description: `${older}-ffffffffffffffff`, facts: { reload } }).open).toEqual([]);
  });

  it("has Synapse write haproxy.cfg again after a hand edit", () => {
    const want = desired();
    const config = haproxyConfig(want, ["10.0.0.21:9001", "bee_10.0.0.22:9001"]).replace(
      "retries 3",
      "retries 9",
    );
    const install = { outcome: "ok", digest: "of another file", message: "" };
    const { row, ids } = assessed(want, { config, facts: { install } });
    expect(row("haproxy.cfg").because).toContain("retries 9 where retries 3");
    expect(row("Synapse's last candidate").onDisk).toMatchObject({ value: "replaced since" });
    expect(ids).toEqual(["restart"]);
  });

  it.each([
    ["is another file", "global\n    maxconn 5\nlisten x\n    bind :7777\n"],
    [
      "names a server that does not resolve",
      haproxyConfig(desired(), ["10.0.0.21:9001"]).replace(" 10.0.0.21:", " nowhere:"),
    ],
  ])("has Synapse write haproxy.cfg again when HAProxy does not answer because it %s", (_, config) => {
    const haproxy = { unreachable: "Connection refused" };
    const install = { outcome: "ok", digest: "of another file", message: "" };
    expect(assessed(desired(), { config, facts: { haproxy, install } }).ids).toEqual(["restart"]);
  });

  it("does not touch somebody else's haproxy.cfg until the inventory allows it", () => {
    const world = { config: "global\n\tmaxconn 1\n", foreign: true };
    const blocked = assessed(desired(), world);
    expect(blocked.row("haproxy.cfg").verdict).toBe("blocked");
    expect(blocked.ids).toEqual([]);
    const { changes } = assessed(desired({ adopt: true }), world);
    expect(changes[0]!.commands).toEqual([{ kind: "adopt", path: HAPROXY_CONFIG }]);
  });
});

it("haproxy.cfg that is larger than what is sent is unknown and not empty, and Synapse is not started again for it", () => {
  const want = desired();
  const facts = seen(want);
  const large = { ...facts.files.get(HAPROXY_CONFIG)!, content: undefined };
  const files = new Map([...facts.files, [HAPROXY_CONFIG, large]]);
  const { row, ids } = shown(want, { ...facts, files }, host(facts));
  for (const setting of ["haproxy.cfg", "service user-api"])
    expect(row(setting)).toMatchObject({
      verdict: "unknown",
      because: expect.stringContaining("it is larger than 3 MiB"),
    });
  expect(ids).toEqual([]);
});
