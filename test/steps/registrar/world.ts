import type { HostFacts } from "../../../src/contract/host.ts";
import type { Evidence } from "../../../src/contract/reading.ts";
import type { Fleet } from "../../../src/contract/step.ts";
import type { UnitFact } from "../../../src/daemon/unit.ts";
import { writtenStart } from "../../../src/daemon/unit-start.ts";
import type { FileFact } from "../../../src/evidence/file.ts";
import { sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { holdsSecret, revealContent, Secret } from "../../../src/secret.ts";
import { gemKey } from "../../../src/smartstack/gem-set.ts";
import { assess } from "../../../src/steps/registrar/assess.ts";
import { authOf, type OwnService, type RegistrarDesired } from "../../../src/steps/registrar/desired.ts";
import type { RegisteredChild, RegistrarFacts } from "../../../src/steps/registrar/facts.ts";
import { registrarFiles } from "../../../src/steps/registrar/files.ts";
import { CREDENTIALS } from "../../../src/steps/registrar/paths.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

export const KEY = gemKey(bookwormHost(), { ruby: "ruby3.1", rubyCandidate: undefined });
export const SESSION = "010000c223a5002c";

export const userApi: OwnService = {
  name: "user-api",
  key: "user-api",
  path: "/services/user-api",
  port: 9000,
  weight: undefined,
  options: "",
  labels: undefined,
  check: {
    host: "10.0.0.11",
    port: 9000,
    httpPath: "/health",
    interMs: 1000,
    timeoutMs: 1000,
    rise: 2,
    fall: 3,
  },
};

export function desired(more: Partial<RegistrarDesired> = {}): RegistrarDesired {
  return {
    instance: "app-01",
    address: "10.0.0.11",
    members: ["10.0.0.2:2181"],
    clientPort: 2181,
    services: [userApi],
    others: [],
    paths: ["/services/user-api"],
    replaces: [],
    gemSource: {
      buildHost: undefined,
      gemDirectory: undefined,
      network: { proxy: undefined, caCertificates: undefined },
    },
    ...more,
  };
}

export function endpoint(
  more: Partial<NonNullable<RegisteredChild["endpoint"]>> = {},
): NonNullable<RegisteredChild["endpoint"]> {
  return { host: "10.0.0.11", port: 9000, weight: undefined, options: "", labels: {}, ...more };
}

export function child(more: Partial<RegisteredChild> = {}): RegisteredChild {
  return {
    service: "user-api",
    name: "app-01_0000000003",
    endpoint: endpoint(),
    owner: SESSION,
    ...more,
  };
}

function unit(more: Partial<UnitFact> = {}): UnitFact {
  return {
    name: "meshctl-registrar.service",
    load: "loaded",
    active: "active",
    sub: "running",
    enabled: "enabled",
    mainPid: 4711,
    restarts: 0,
    result: "success",
    statusText: "",
    fragmentPath: "",
    dropInPaths: [],
    needDaemonReload: false,
    invocation: undefined,
    ageSeconds: undefined,
    start: writtenStart(""),
    startLines: [],
    ...more,
  };
}

export interface World {
  readonly children?: readonly RegisteredChild[];
  /** Why user-api's check fails. */
  readonly failing?: string;
  readonly process?: Partial<NonNullable<RegistrarFacts["process"]>>;
  readonly unit?: Partial<UnitFact>;
  readonly facts?: Partial<RegistrarFacts>;
  /** Of these paths, where the mesh has an account. */
  readonly acls?: readonly (readonly [path: string, acl: string])[];
}

export const PASSWORD = "correct-horse-battery-staple";
export const auth = authOf({ user: "meshctl", password: new Secret(PASSWORD) });

const CLOSED = [
  ["/services", "own:31 world:anyone:5"],
  ["/services/user-api", "own:31 world:anyone:1"],
  ["/services/user-api/app-01_0000000003", "own:31 world:anyone:1"],
] as const;

/** A host on which all is as wanted, but for what the world says. */
export function seen(want: RegistrarDesired, world: World = {}): RegistrarFacts {
  const files = registrarFiles(want, KEY).map(({ path, content, mode, owner }): FileFact => {
    const text = revealContent(content);
    const sha256 = sha256Of(text);
    return {
      path,
      kind: "regular",
      mode,
      owner,
      sha256,
      packaged: "no",
      realPath: path,
      content: holdsSecret(content) ? undefined : text,
    };
  });
  const credentials = files.find(({ path }) => path === CREDENTIALS);
  return {
    units: new Map([
      [
        "meshctl-registrar.service",
        unit({
          start: writtenStart(
            files.find(({ path }) => path.endsWith("/meshctl-registrar.service"))!.content!,
          ),
          ...world.unit,
        }),
      ],
    ]),
    replaced: new Map(),
    files: new Map(files.map((file) => [file.path, file])),
    ruby: "ruby3.1",
    rubyCandidate: undefined,
    builds: new Map([[KEY, ""]]),
    userExists: true,
    process: {
      pid: 4711,
      user: "meshctl-registrar",
      ageSeconds: 3600,
      commandLine: `/usr/bin/ruby -r x /opt/meshctl/registrar/${KEY}/gems/nerve-0.8.1/bin/nerve -c y`,
      sessions: ["10.0.0.2:2181"],
      startedWith: new Map(files.map(({ path, sha256 }) => [path, sha256])),
      ...world.process,
    },
    lastError: undefined,
    failing: new Map([["user-api", world.failing ?? ""]]),
    nodes: new Map([["user-api", { path: "/services/user-api/app-01_0000000003", session: SESSION }]]),
    registry: { member: "10.0.0.2:2181", children: world.children ?? [child()] },
    ...(credentials === undefined ? {} : { credentials }),
    ...(want.auth === undefined ? {} : { acls: new Map([...CLOSED, ...(world.acls ?? [])]) }),
    ...world.facts,
  };
}

export function bare(): RegistrarFacts {
  return {
    ...seen(desired()),
    units: new Map([
      ["meshctl-registrar.service", unit({ load: "not-found", active: "inactive", enabled: "" })],
    ]),
    files: new Map(),
    ruby: undefined,
    builds: new Map(),
    userExists: false,
    process: undefined,
    nodes: new Map(),
    registry: { member: "10.0.0.2:2181", children: [] },
  };
}

export function assessed(want: RegistrarDesired, world: World = {}) {
  return shown(want, seen(want, world));
}

export function shown(
  want: RegistrarDesired,
  facts: RegistrarFacts,
  packages = new Map([["ruby", "1:3.1"]]),
  others: Fleet<RegistrarDesired, RegistrarFacts> = new Map(),
) {
  const manifest = new Map([...facts.files.values()].map(({ path, sha256 }) => [path, sha256]));
  const host: HostFacts = bookwormHost({ manifest, packages });
  const fleet = new Map([["app-01", { is: "seen", desired: want, facts, host } as const], ...others]);
  const { readings, changes } = assess({ name: "app-01", desired: want, facts, host }, fleet);
  holdRowsOfChanges(readings, changes);
  const evidence = readings.map(judge);
  return {
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
