import { sha256Of } from "../../../src/evidence/file.ts";
import { parseProbeOutput } from "../../../src/evidence/probe-output.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { backendPolicy } from "../../../src/mesh/backend-policy.ts";
import { renderHaproxyConfig } from "../../../src/mesh/haproxy-config.ts";
import { haproxyParameters } from "../../../src/mesh/haproxy-parameters.ts";
import { descriptionOf, haproxySettings } from "../../../src/mesh/haproxy-settings.ts";
import type { Service } from "../../../src/mesh/mesh.ts";
import { revealContent } from "../../../src/secret.ts";
import type { Evidence, HostFacts } from "../../../src/step.ts";
import { assess } from "../../../src/steps/haproxy/assess.ts";
import type { HaproxyDesired } from "../../../src/steps/haproxy/desired.ts";
import { renderDropIn } from "../../../src/steps/haproxy/drop-in.ts";
import { type HaproxyFacts, haproxyFacts } from "../../../src/steps/haproxy/facts.ts";
import { haproxyFiles } from "../../../src/steps/haproxy/files.ts";
import { CONFIG, DROP_IN, LOAD_RECORDER, MASTER_SOCKET, UNIT } from "../../../src/steps/haproxy/paths.ts";
import { mesh, service } from "../../mesh/mesh.ts";
import { bookwormHost } from "../bookworm-host.ts";

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

/** What the probe prints on a host; every field is as on a converged bookworm unless it is changed. */
export interface ProbeFields {
  /** haproxy.cfg's text; undefined when there is none. */
  config?: string | undefined;
  packaged?: "" | "yes" | "no";
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
  /** Of `show stat`: back end, name, status, weight. */
  servers?: readonly (readonly [string, string, string, number])[];
  sockets?: Record<string, string>;
  processes?: readonly string[];
  /** Undefined, but given: no worker answers. */
  info?: Record<string, string> | undefined;
  hardLimit?: string;
  journal?: readonly string[];
  /** State of Synapse's units; undefined when there are none. */
  watcher?: "active" | "inactive";
  /** Whether the playbook has the watcher step for the host. */
  watcherFollows?: boolean;
  /** Ports and PIDs of HAProxys that the service did not start. */
  strangers?: readonly (readonly [string, string])[];
}

function file(path: string, text: string | undefined, packaged: string, mode = "0644"): string[] {
  if (text === undefined) return ["file", path, "absent", "", "", "", "", "", ""];
  const base64 = Buffer.from(text).toString("base64");
  return ["file", path, "regular", mode, "root:root", sha256Of(text), packaged, path, base64];
}

const INVOCATION = "0123456789abcdef0123456789abcdef";

function recorderText(want: HaproxyDesired): string {
  return revealContent(haproxyFiles(want).loadRecorder.content);
}

const HEADER = "#<PID> <type> <reloads> <uptime> <version>";

function probeOutput(want: HaproxyDesired, change: ProbeFields = {}): string {
  const fields = {
    config: configText(want),
    dropIn: renderDropIn(want.parameters.maxconn),
    loadRecorder: recorderText(want),
    loaded: configText(want, change.info?.description),
    ...change,
  };
  const { installed = true, active = "active", configCheck = 0 } = change;
  const rows: string[][] = [
    file(CONFIG, fields.config, change.packaged ?? ""),
    file(DROP_IN, fields.dropIn, ""),
    file(LOAD_RECORDER, fields.loadRecorder, "", "0755"),
    ["unit", UNIT, "InvocationID", INVOCATION],
    ["unit", UNIT, "LoadState", change.load ?? (installed ? "loaded" : "not-found")],
    ["unit", UNIT, "ActiveState", active],
    ["unit", UNIT, "StatusText", change.statusText ?? ""],
    ["unit", UNIT, "DropInPaths", change.dropInPaths ?? DROP_IN],
    ["unit", UNIT, "NeedDaemonReload", change.needDaemonReload ?? "no"],
    ...(installed ? startOf(change) : []),
    ["unit_enabled", UNIT, change.enabled ?? (installed ? "enabled" : "")],
  ];
  for (const name of ["meshctl-watcher.service", "meshctl-haproxy-install.path"]) {
    rows.push(["unit", name, "LoadState", change.watcher === undefined ? "not-found" : "loaded"]);
    rows.push(["unit", name, "ActiveState", change.watcher ?? "inactive"]);
    rows.push(["unit_enabled", name, change.watcher === "active" ? "enabled" : "disabled"]);
  }
  if (!installed) {
    rows.push(["candidate", change.candidate ?? "2.6.12-1+deb12u4"]);
  } else {
    rows.push(["limit_nofile", change.limitNofile ?? "524288"]);
    if (active !== "active") rows.push(["config_check", String(configCheck)]);
    else rows.push(...answers(want, change));
    if (fields.loaded !== undefined) {
      const record = `# invocation ${change.loadedAt ?? INVOCATION}\n${fields.loaded}`;
      rows.push(["loaded", `b64:${Buffer.from(record).toString("base64")}`]);
    }
    for (const line of change.journal ?? []) rows.push(["journal", line]);
  }
  return rows.map((row) => `${row.join("\t")}\n`).join("");
}

function startOf(change: ProbeFields): string[][] {
  const command = change.execStart ?? "/usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS";
  const variables = `CONFIG=${CONFIG} PIDFILE=/run/haproxy.pid "EXTRAOPTS=-S /run/haproxy-master.sock"`;
  return [
    ["unit", UNIT, "ExecStart", `{ path=x ; argv[]=${command} ; ignore_errors=no ; pid=0 }`],
    ["unit", UNIT, "Environment", change.environment ?? variables],
    ["unit", UNIT, "EnvironmentFiles", "/etc/default/haproxy (ignore_errors=yes)"],
    ["unit", UNIT, "FragmentPath", "/lib/systemd/system/haproxy.service"],
    ["unit", UNIT, "NRestarts", String(change.restarts?.[0] ?? 0)],
    ...(change.restarts === undefined ? [] : [["unit_age", UNIT, String(change.restarts[1])]]),
    ...(change.startLines ?? []).map((line) => ["unit_line", UNIT, ...line.map(String)]),
    ...(change.defaults ?? []).map((text, index) => [
      "environment_line",
      "/etc/default/haproxy",
      String(index + 1),
      text,
    ]),
  ];
}

function answers(want: HaproxyDesired, change: ProbeFields): string[][] {
  const command =
    change.command ?? "/usr/sbin/haproxy\n-Ws\n-f\n/etc/haproxy/haproxy.cfg\n-p\n/run/haproxy.pid";
  const sockets: Record<string, string> = {
    [ADMIN]: "answered",
    [MASTER_SOCKET]: "answered",
    ...change.sockets,
  };
  const processes = change.processes ?? [
    HEADER,
    "360 master 1 [failed: 0] 0d00h00m03s 2.6.12-1+deb12u4",
    "# workers",
    "388 worker 0 0d00h00m02s 2.6.12-1+deb12u4",
  ];
  const answer: Record<string, string> = {
    version: "2.6.12-1+deb12u4",
    pid: "388",
    maxconn: String(want.parameters.maxconn),
    description: descriptionOf(want.settings),
    ...change.info,
  };
  const info: Record<string, string> = "info" in change && change.info === undefined ? {} : answer;
  return [
    ["command", `b64:${Buffer.from(command).toString("base64")}`],
    ...Object.entries(sockets).map(([path, state]) => ["socket", path, state]),
    ...processes.map((line) => ["process", line]),
    ["info_from", sockets[ADMIN] === "answered" ? ADMIN : MASTER_SOCKET],
    ...Object.entries(info).map(([key, value]) => ["info", key, value]),
    ...(change.servers ?? [["user-api", "a", "UP", 1]]).map((row) => ["server", ...row.map(String)]),
    ...(change.strangers ?? []).map((stranger) => ["stranger", ...stranger]),
    ["limit", "master", "360", "20000", change.hardLimit ?? "20000"],
    ["limit", "worker", "388", "18044", change.hardLimit ?? "20000"],
  ];
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

export function factsOf(want: HaproxyDesired, probe: ProbeFields = {}): HaproxyFacts {
  return haproxyFacts(parseProbeOutput(probeOutput(want, probe)));
}

export function assessed(want: HaproxyDesired, probe: ProbeFields = {}, host: Partial<HostFacts> = {}) {
  const facts = factsOf(want, probe);
  const { readings, changes } = assess(want, facts, hostFacts(want, host), probe.watcherFollows ?? true);
  const evidence = readings.map(judge);
  const row = (setting: string): Evidence => {
    const found = evidence.find((candidate) => candidate.setting === setting);
    if (found === undefined) throw new Error(`no row "${setting}"`);
    return found;
  };
  return { evidence, changes, row, open: evidence.filter(({ verdict }) => verdict !== "proven") };
}
