import type { HostFacts } from "../../../src/contract/host.ts";
import type { Service } from "../../../src/contract/mesh.ts";
import type { Evidence } from "../../../src/contract/reading.ts";
import { type UnitFact, unitFact } from "../../../src/daemon/unit.ts";
import { type FileFact, sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { backendPolicy } from "../../../src/haproxy/backend-policy.ts";
import { renderHaproxyConfig } from "../../../src/haproxy/config.ts";
import { loadedConfig } from "../../../src/haproxy/loaded.ts";
import type { AdminSocket } from "../../../src/haproxy/look.ts";
import { haproxyParameters } from "../../../src/haproxy/parameters.ts";
import { processesOf } from "../../../src/haproxy/processes.ts";
import type { Served } from "../../../src/haproxy/served.ts";
import { tableOf } from "../../../src/haproxy/server-state.ts";
import { descriptionOf, haproxySettings } from "../../../src/haproxy/settings.ts";
import { revealContent } from "../../../src/secret.ts";
import { assess } from "../../../src/steps/haproxy/assess.ts";
import type { HaproxyDesired } from "../../../src/steps/haproxy/desired.ts";
import { renderDropIn } from "../../../src/steps/haproxy/drop-in.ts";
import type { HaproxyFacts } from "../../../src/steps/haproxy/facts.ts";
import { haproxyFiles } from "../../../src/steps/haproxy/files.ts";
import { CONFIG, DROP_IN, LOAD_RECORDER, MASTER_SOCKET, UNIT } from "../../../src/steps/haproxy/paths.ts";
import { mesh, service } from "../../haproxy/mesh.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

const ADMIN = "/run/haproxy/admin.sock";
const MAXCONN = 9000;

export const fixedService = service({ servers: [{ name: "a", host: "10.0.0.9", port: 80 }] });

export function desired(
  change: {
    maxconn?: number;
    adopt?: boolean;
    watched?: boolean;
    services?: readonly Service[];
    retryOn?: readonly string[];
  } = {},
): HaproxyDesired {
  const { watched = false, maxconn = MAXCONN, adopt = false } = change;
  const services = change.services ?? [watched ? service() : fixedService];
  const parameters = haproxyParameters.parse({ maxconn, adopt, retry_on: change.retryOn ?? [] });
  const settings = haproxySettings(parameters, mesh(services));
  return { parameters, settings, policy: backendPolicy(mesh(services), settings), watched };
}

export function configText(want: HaproxyDesired, description = descriptionOf(want.settings)): string {
  return renderHaproxyConfig(want.settings, description);
}

export const foreignText = "global\n\tmaxconn 10\nlisten x\n\tbind :80\n";

/** What is read of a host; every field is as on a converged bookworm unless it is changed. */
export interface ProbeFields {
  /** haproxy.cfg's text; undefined when there is none. */
  config?: string | undefined;
  packaged?: FileFact["packaged"];
  dropIn?: string | undefined;
  loadRecorder?: string | undefined;
  /** What HAProxy was loaded with: as wanted unless given. Undefined: not on record. */
  loaded?: string | undefined;
  /** Start that the record is of; the one that runs unless given. */
  loadedAt?: string;
  installed?: boolean;
  candidate?: string;
  active?: string;
  enabled?: string;
  load?: string;
  statusText?: string;
  dropInPaths?: string;
  needDaemonReload?: "yes" | "no";
  limitNofile?: string;
  configCheck?: number;
  command?: string;
  /** What systemd starts, and the unit's variables; as Debian has them unless given. */
  execStart?: string;
  environment?: string;
  /** Lines of /etc/default/haproxy. */
  defaults?: readonly string[];
  /** Lines of drop-ins that say how the unit starts: path, number, key. */
  startLines?: readonly (readonly [string, number, string])[];
  /** Starts by systemd since somebody started it, and the age of what runs. */
  restarts?: readonly [number, number];
  /** Of `show stat`: status and limit of front ends. */
  frontEnds?: Readonly<Record<string, readonly [string, number?]>>;
  /** What comes of a request through a front end; an answer with status 200 unless given. */
  serves?: Readonly<Record<string, Served>>;
  /** Names of servers, with why they do not resolve. */
  names?: Readonly<Record<string, string>>;
  /** Of `show stat`: back end, name, status, weight. */
  servers?: readonly (readonly [string, string, string, number])[];
  socket?: AdminSocket;
  processes?: readonly string[];
  /** Undefined, but given: no worker answers. */
  info?: Record<string, string> | undefined;
  hardLimit?: string;
  journal?: readonly string[];
  /** State of Synapse's units; undefined when there are none. */
  watcher?: "active" | "inactive";
  /** Whether the playbook has the watcher step for the host. */
  watcherFollows?: boolean;
  /** Rules of nftables, in a chain of output. */
  rules?: readonly (readonly object[])[];
  /** In the words of iptables-save. */
  iptables?: string;
  /** Ports and PIDs of who is not of the service, HAProxys unless named. */
  strangers?: readonly (readonly [string, string, string?])[];
  /** What else is read otherwise. */
  facts?: Partial<HaproxyFacts>;
}

function file(path: string, text: string | undefined, more: Partial<FileFact> = {}): FileFact {
  const nothing = { path, mode: "", owner: "", sha256: "", packaged: "no", realPath: "" } as const;
  if (text === undefined) return { ...nothing, kind: "absent", content: undefined };
  return {
    ...{ path, kind: "regular", mode: "0644", owner: "root:root", sha256: sha256Of(text), packaged: "no" },
    ...{ realPath: path, content: text },
    ...more,
  } as FileFact;
}

export const INVOCATION = "0123456789abcdef0123456789abcdef";

function recorderText(want: HaproxyDesired): string {
  return revealContent(haproxyFiles(want).loadRecorder.content);
}

const HEADER = "#<PID> <type> <reloads> <uptime> <version>";
const answered = <T>(value: T) => ({ is: "value", value }) as const;
const absent = { is: "absent" } as const;

function unitOf(change: ProbeFields): UnitFact {
  const { installed = true } = change;
  const command = change.execStart ?? "/usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS";
  const variables = `CONFIG=${CONFIG} PIDFILE=/run/haproxy.pid "EXTRAOPTS=-S /run/haproxy-master.sock"`;
  const started: Record<string, string> = {
    ExecStart: `{ path=x ; argv[]=${command} ; ignore_errors=no ; pid=0 }`,
    Environment: change.environment ?? variables,
    EnvironmentFiles: "/etc/default/haproxy (ignore_errors=yes)",
    FragmentPath: "/lib/systemd/system/haproxy.service",
    NRestarts: String(change.restarts?.[0] ?? 0),
  };
  const known: Record<string, string> = {
    InvocationID: INVOCATION,
    LoadState: change.load ?? (installed ? "loaded" : "not-found"),
    ActiveState: change.active ?? "active",
    StatusText: change.statusText ?? "",
    DropInPaths: change.dropInPaths ?? DROP_IN,
    NeedDaemonReload: change.needDaemonReload ?? "no",
    ...(installed ? started : {}),
  };
  return unitFact(UNIT, {
    values: (property) => (known[property] === undefined ? [] : [known[property]]),
    enabled: change.enabled ?? (installed ? "enabled" : ""),
    ageSeconds: change.restarts?.[1],
    hasUnread: false,
    startLines: (change.startLines ?? []).map(([path, line, key]) => ({ path, line, key })),
  });
}

export function hostFacts(want: HaproxyDesired, change: Partial<HostFacts> = {}): HostFacts {
  return bookwormHost({
    addresses: ["10.0.0.2"],
    listeners: want.settings.services.map(({ bind, port }) => ({ address: bind, port, process: "haproxy" })),
    manifest: new Map([
      [CONFIG, sha256Of(configText(want))],
      [DROP_IN, sha256Of(renderDropIn(want.parameters.maxconn))],
      [LOAD_RECORDER, sha256Of(recorderText(want))],
    ]),
    packages: new Map([["haproxy", "2.6.12-1+deb12u4"]]),
    ...change,
  });
}

export function factsOf(want: HaproxyDesired, change: ProbeFields = {}): HaproxyFacts {
  const { installed = true, active = "active", configCheck = 0 } = change;
  const fields = {
    config: configText(want),
    dropIn: renderDropIn(want.parameters.maxconn),
    loadRecorder: recorderText(want),
    loaded: configText(want, change.info?.description),
    ...change,
  };
  const record = fields.loaded && answered(`# invocation ${change.loadedAt ?? INVOCATION}\n${fields.loaded}`);
  const watcherUnits = ["meshctl-watcher.service", "meshctl-haproxy-install.path"].map((name) => {
    const load = change.watcher === undefined ? "not-found" : "loaded";
    const enabled = change.watcher === "active" ? "enabled" : "disabled";
    return [name, { load, active: change.watcher ?? "inactive", enabled }] as const;
  });
  const isServing = installed && active === "active";
  return {
    config: file(CONFIG, fields.config, { packaged: change.packaged ?? "no" }),
    dropIn: file(DROP_IN, fields.dropIn),
    loadRecorder: file(LOAD_RECORDER, fields.loadRecorder, { mode: "0755" }),
    unit: unitOf(change),
    watcherUnits: new Map(watcherUnits),
    candidate: installed ? undefined : answered(change.candidate ?? "2.6.12-1+deb12u4"),
    limitNofile: installed ? answered(change.limitNofile ?? "524288") : undefined,
    configCheck: installed && active !== "active" ? answered(configCheck) : undefined,
    environmentLines: (change.defaults ?? []).map((text, index) => ({
      path: "/etc/default/haproxy",
      line: index + 1,
      text,
    })),
    unreadEnvironment: undefined,
    loaded: loadedConfig(installed && record ? record : absent, INVOCATION),
    ruleset:
      change.rules === undefined
        ? answered('{"nftables":[]}')
        : {
            is: "value",
            value: JSON.stringify({
              nftables: [
                { chain: { family: "ip", table: "nat", name: "o", type: "nat", hook: "output" } },
                ...change.rules.map((expr) => ({ rule: { family: "ip", table: "nat", chain: "o", expr } })),
              ],
            }),
          },
    iptables: answered(change.iptables ?? ""),
    strangers: answered(
      (change.strangers ?? []).map(([local, pid, process = "haproxy"]) => ({
        address: local.slice(0, local.lastIndexOf(":")),
        port: Number(local.slice(local.lastIndexOf(":") + 1)),
        process,
        pid: Number(pid),
      })),
    ),
    journal: change.journal ?? [],
    ...(isServing ? answers(want, change) : SILENT),
    ...change.facts,
  };
}

const SILENT = {
  socket: { is: "silent", because: "it was not asked" },
  table: answered({ servers: [], frontEnds: [] }),
  served: absent,
  names: answered(new Map()),
  leadTo: new Map(),
  info: new Map(),
  infoFrom: "",
  processes: absent,
  master: absent,
  worker: absent,
} as const satisfies Partial<HaproxyFacts>;

function answers(want: HaproxyDesired, change: ProbeFields) {
  const command =
    change.command ?? "/usr/sbin/haproxy\n-Ws\n-f\n/etc/haproxy/haproxy.cfg\n-p\n/run/haproxy.pid";
  const socket = change.socket ?? ({ is: "answered" } as const);
  const lines = change.processes ?? [
    HEADER,
    "360 master 1 [failed: 0] 0d00h00m03s 2.6.12-1+deb12u4",
    "# workers",
    "388 worker 0 0d00h00m02s 2.6.12-1+deb12u4",
  ];
  const processes = processesOf(lines.join("\n"));
  const answer: Record<string, string> = {
    version: "2.6.12-1+deb12u4",
    pid: "388",
    maxconn: String(want.parameters.maxconn),
    description: descriptionOf(want.settings),
    ...change.info,
  };
  const info: Record<string, string> = "info" in change && change.info === undefined ? {} : answer;
  const hardOpenFiles = Number(change.hardLimit ?? "20000");
  const servers = change.servers ?? [["user-api", "a", "UP", 1] as const];
  return {
    socket,
    table: answered(
      tableOf([
        ...want.settings.services.map(({ name }) => {
          const [status = "OPEN", limit = want.parameters.maxconn] = change.frontEnds?.[name] ?? [];
          return ["0", name, "FRONTEND", status, "", "", String(limit)];
        }),
        ...servers.map((row) => ["2", ...row.map(String), "", "", "L7OK", "200", ""]),
      ]),
    ),
    served: answered(
      new Map(
        want.settings.services.map(({ name }) => {
          return [name, change.serves?.[name] ?? ({ is: "answered", status: 200 } as const)];
        }),
      ),
    ),
    names: answered(new Map(Object.entries(change.names ?? {}))),
    leadTo: new Map(),
    info: new Map(Object.entries(info)),
    infoFrom: socket.is === "answered" ? ADMIN : MASTER_SOCKET,
    processes: processes === undefined ? absent : answered(processes),
    master: answered({ pid: 360, command: command.split("\n"), hardOpenFiles }),
    worker: answered({ pid: 388, command: command.split("\n"), hardOpenFiles }),
  };
}

export function assessed(want: HaproxyDesired, probe: ProbeFields = {}, host: Partial<HostFacts> = {}) {
  const facts = factsOf(want, probe);
  const { readings, changes } = assess(want, facts, hostFacts(want, host), probe.watcherFollows ?? true);
  holdRowsOfChanges(readings, changes);
  const evidence = readings.map(judge);
  const row = (setting: string): Evidence => {
    const found = evidence.find((candidate) => candidate.setting === setting);
    if (found === undefined) throw new Error(`no row "${setting}"`);
    return found;
  };
  return { evidence, changes, row, open: evidence.filter(({ verdict }) => verdict !== "proven") };
}
