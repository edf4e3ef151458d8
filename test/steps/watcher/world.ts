import type { HostFacts } from "../../../src/contract/host.ts";
import type { Mesh, Service } from "../../../src/contract/mesh.ts";
import type { Evidence } from "../../../src/contract/reading.ts";
import type { UnitFact } from "../../../src/daemon/unit.ts";
import { writtenStart } from "../../../src/daemon/unit-start.ts";
import type { FileFact } from "../../../src/evidence/file.ts";
import { sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { backendPolicy } from "../../../src/haproxy/backend-policy.ts";
import { parseHaproxyConfig } from "../../../src/haproxy/config.ts";
import { haproxyParameters } from "../../../src/haproxy/parameters.ts";
import { descriptionOf, haproxySettings } from "../../../src/haproxy/settings.ts";
import { revealContent } from "../../../src/secret.ts";
import { gemKey } from "../../../src/smartstack/gem-set.ts";
import { assess } from "../../../src/steps/watcher/assess.ts";
import type { WatcherDesired } from "../../../src/steps/watcher/desired.ts";
import type { WatcherFacts } from "../../../src/steps/watcher/facts.ts";
import { watcherFiles } from "../../../src/steps/watcher/files.ts";

import { haproxyFrame } from "../../../src/steps/watcher/haproxy-frame.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

export const HAPROXY_CONFIG = "/etc/haproxy/haproxy.cfg";
export const KEY = gemKey(bookwormHost(), { ruby: "ruby3.1", rubyCandidate: undefined });

const userApi: Service = {
  name: "user-api",
  mode: "http",
  bind: "127.0.0.1",
  port: 8080,
  discovery: { by: "zookeeper", path: "/services/user-api" },
  servers: [],
  balance: "roundrobin",
  serverOptionsAllowed: [],
  check: { http: { method: "GET", path: "/health" }, interMs: 2000, rise: 2, fall: 3, failFast: false },
};

export function service(more: Partial<Service> = {}): Service {
  return { ...userApi, ...more };
}

export function desired(more: Partial<WatcherDesired> = {}): WatcherDesired {
  const services = more.services ?? [userApi];
  const mesh = { networks: [] as readonly string[], services } as Mesh;
  const settings = haproxySettings(haproxyParameters.parse({}), mesh);
  return {
    whenEmpty: "keep_last",
    replaces: [],
    gemSource: {
      buildHost: undefined,
      gemDirectory: undefined,
      network: { proxy: undefined, caCertificates: undefined },
    },
    members: ["10.0.0.2:2181", "10.0.0.3:2181", "10.0.0.4:2181"],
    clientPort: 2181,
    services,
    settings,
    policy: backendPolicy(mesh, settings),
    adopt: false,
    ...more,
  };
}

/** haproxy.cfg as the installer leaves it: the frame, and servers at the end of the first back end. */
export function haproxyConfig(want: WatcherDesired, servers: readonly string[], described?: string): string {
  const description = described ?? `${descriptionOf(want.settings)}-0123456789abcdef`;
  const options = want.settings.services[0]!.serverOptions;
  const lines = servers.map((name) => {
    const [server, ...flags] = name.split(" ");
    return `server ${server} ${server!.replace(/.*_/, "")} id 1 cookie ${server} ${[options, ...flags].join(" ")}`;
  });
  return `${haproxyFrame(want.settings).replace(/^description .*$/m, `description ${description}`)}${lines.join("\n")}\n`;
}

function regular(path: string, content: string, mode = "0644"): FileFact {
  return {
    path,
    kind: "regular",
    mode,
    owner: "root:root",
    sha256: sha256Of(content),
    packaged: "no",
    realPath: path,
    content,
  };
}

/** Stands for the start that the unit's file in place says. */
const AS_WRITTEN = writtenStart("");

export function unit(name: string, more: Partial<UnitFact> = {}): UnitFact {
  return {
    name,
    load: "loaded",
    active: "active",
    sub: "running",
    enabled: "enabled",
    mainPid: 0,
    restarts: 0,
    result: "success",
    statusText: "",
    fragmentPath: "",
    dropInPaths: [],
    needDaemonReload: false,
    invocation: undefined,
    ageSeconds: undefined,
    start: AS_WRITTEN,
    startLines: [],
    ...more,
  };
}

export interface World {
  /** Registered children of user-api: name → data; undefined: no such path. */
  children?: Readonly<Record<string, string>> | undefined;
  /** Server lines of haproxy.cfg, perhaps with " disabled". */
  onDisk?: readonly string[];
  /** What `show stat` has: server → status. */
  inForce?: Readonly<Record<string, string>>;
  /** And with which weight; 1 unless given. */
  weights?: Readonly<Record<string, number>>;
  /** And at which address; the one in its name unless given. */
  addresses?: Readonly<Record<string, string | undefined>>;
  /** What HAProxy shows of a server's check; a status of 200 unless given. */
  checks?: Readonly<Record<string, { status: string; code: string; words: string }>>;
  config?: string;
  /** Whose haproxy.cfg it is. */
  foreign?: boolean;
  description?: string;
  /** What HAProxy was loaded with; as wanted unless given. Undefined, but given: not on record. */
  loaded?: string | undefined;
  facts?: Partial<WatcherFacts>;
  process?: Partial<NonNullable<WatcherFacts["process"]>>;
  units?: readonly UnitFact[];
  /** What is in a file instead of what is wanted. */
  files?: Readonly<Record<string, string>>;
}

const BEE = { a_1: '{"host":"10.0.0.21","port":9001}', b_2: '{"host":"10.0.0.22","port":9001,"name":"bee"}' };
const BEE_SERVERS = ["10.0.0.21:9001", "bee_10.0.0.22:9001"];

/** A host on which all is as wanted, but for what the world says. */
export function seen(want: WatcherDesired, world: World = {}): WatcherFacts {
  const files = watcherFiles(want, KEY).map(({ path, content, mode }) =>
    regular(path, world.files?.[path] ?? revealContent(content), mode),
  );
  const textOf = (unit: string) => files.find(({ path }) => path.endsWith(`/${unit}`))?.content ?? "";
  const config = world.config ?? haproxyConfig(want, world.onDisk ?? BEE_SERVERS);
  const servers = world.inForce ?? Object.fromEntries(BEE_SERVERS.map((name) => [name, "UP"]));
  const children = "children" in world ? world.children : BEE;
  const described = `${descriptionOf(want.settings)}-0123456789abcdef`;
  return {
    units: new Map(
      [
        unit("meshctl-watcher.service", { mainPid: 4711 }),
        unit("meshctl-haproxy-install.path", { sub: "waiting" }),
        unit("meshctl-haproxy-install.service", { active: "inactive", sub: "dead", enabled: "static" }),
        ...(world.units ?? []),
      ].map((fact) => [
        fact.name,
        fact.start === AS_WRITTEN ? { ...fact, start: writtenStart(textOf(fact.name)) } : fact,
      ]),
    ),
    files: new Map([...files, regular(HAPROXY_CONFIG, config)].map((fact) => [fact.path, fact])),
    ruby: "ruby3.1",
    rubyCandidate: undefined,
    builds: new Map([[KEY, ""]]),
    userExists: true,
    process: {
      pid: 4711,
      user: "meshctl-watcher",
      ageSeconds: 3600,
      commandLine: `/usr/bin/ruby -r x /opt/meshctl/watcher/${KEY}/gems/synapse-0.16.2/bin/synapse -c y`,
      sessions: ["10.0.0.3:2181"],
      startedWith: new Map(files.map(({ path, sha256 }) => [path, sha256])),
      ...world.process,
    },
    lastError: undefined,
    install: { outcome: "ok", digest: sha256Of(config), message: "installed" },
    reload: { outcome: "ok", digest: described, message: "", worker: 388 },
    waiting: [],
    replaced: new Map(),
    kept: new Map(),
    haproxy: {
      pid: 388,
      description: world.description ?? described,
      loaded:
        "loaded" in world && world.loaded === undefined
          ? { is: "absent" }
          : {
              is: "value",
              value: parseHaproxyConfig(world.loaded ?? haproxyConfig(want, world.onDisk ?? BEE_SERVERS)),
            },
      servers: Object.entries(servers).map(([name, status]) => ({
        backend: "user-api",
        name,
        status,
        weight: world.weights?.[name] ?? 1,
        address:
          world.addresses !== undefined && name in world.addresses
            ? world.addresses[name]
            : name.replace(/.*_/, ""),
        limit: 0,
        check:
          world.checks?.[name] ??
          (status.startsWith("DOWN")
            ? { status: "L4CON", code: "", words: "Connection refused" }
            : { status: "L7OK", code: "200", words: "" }),
      })),
    },
    registry: {
      member: "10.0.0.2:2181",
      children: new Map([["user-api", children && new Map(Object.entries(children))]]),
    },
    dns: new Map(),
    ...world.facts,
  };
}

export const BARE: WatcherFacts = {
  units: new Map(
    ["meshctl-watcher.service", "meshctl-haproxy-install.path", "meshctl-haproxy-install.service"].map(
      (name) => [name, unit(name, { load: "not-found", active: "inactive", sub: "dead", enabled: "" })],
    ),
  ),
  files: new Map(),
  ruby: undefined,
  rubyCandidate: undefined,
  builds: new Map(),
  userExists: false,
  process: undefined,
  lastError: undefined,
  install: undefined,
  reload: undefined,
  waiting: [],
  replaced: new Map(),
  kept: new Map(),
  haproxy: { unreachable: "No such file or directory" },
  registry: { unreachable: "10.0.0.2:2181: Connection refused" },
  dns: new Map(),
};

export function host(facts: WatcherFacts, world: World = {}, more: Partial<HostFacts> = {}): HostFacts {
  const manifest = new Map([...facts.files.values()].map(({ path, sha256 }) => [path, sha256]));
  if (world.foreign) manifest.delete(HAPROXY_CONFIG);
  return bookwormHost({ manifest, packages: new Map([["ruby", "1:3.1"]]), ...more });
}

export function assessed(want: WatcherDesired, world: World = {}) {
  const facts = seen(want, world);
  return shown(want, facts, host(facts, world));
}

export function shown(want: WatcherDesired, facts: WatcherFacts, of: HostFacts) {
  const fleet = new Map([["kvm-01", { is: "seen", desired: want, facts, host: of } as const]]);
  const { readings, changes } = assess({ name: "kvm-01", desired: want, facts, host: of }, fleet);
  holdRowsOfChanges(readings, changes);
  const evidence = readings.map(judge);
  return {
    evidence,
    changes,
    ids: changes.map(({ id }) => id),
    open: evidence.filter(({ verdict }) => verdict !== "proven").map(({ setting }) => setting),
    row: (setting: string): Evidence => {
      const found = evidence.find((row) => row.setting === setting);
      if (found === undefined) throw new Error(`no row "${setting}"`);
      return found;
    },
  };
}
