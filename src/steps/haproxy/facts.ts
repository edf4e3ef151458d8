import { type FileFact, fileFacts } from "../../evidence/file.ts";
import { fieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { invocationOf, type UnitFact, unitFacts } from "../../evidence/unit.ts";
import type { HaproxyConfig } from "../../mesh/haproxy-config.ts";
import { loadedConfig } from "../../mesh/haproxy-loaded.ts";
import { type ServerState, serverState } from "../../mesh/server-state.ts";
import { type Listener, ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import { CONFIG, DROP_IN, LOAD_RECORDER, UNIT } from "./paths.ts";
import { type Processes, processesOf } from "./processes.ts";

export interface HaproxyFacts {
  readonly config: FileFact;
  readonly dropIn: FileFact;
  readonly loadRecorder: FileFact;
  /** What this start of HAProxy was loaded with last; undefined when that is not on record. */
  readonly loaded: HaproxyConfig | undefined;
  readonly unit: UnitFact;
  /** Of the watcher, by name. */
  readonly watcherUnits: ReadonlyMap<string, UnitFact>;
  /** Version that apt would install; only when HAProxy is not there, and "" or "(none)" when apt has none. */
  readonly candidate: string | undefined;
  /** LimitNOFILE as systemd has loaded it from all files of the unit. */
  readonly limitNofile: string | undefined;
  /** Exit code of `haproxy -c` on haproxy.cfg; only when the unit does not run. */
  readonly configCheck: number | undefined;
  /** Lines of the unit's files of variables that its command line may use. */
  readonly environmentLines: readonly {
    readonly path: string;
    readonly line: number;
    readonly text: string;
  }[];
  /** Command line of the master process, word by word. */
  readonly command: readonly string[];
  /** Socket → "answered", or why it did not. */
  readonly sockets: ReadonlyMap<string, string>;
  /** Servers in the worker's `show stat`. */
  readonly servers: readonly ServerState[];
  /** The worker's `show info`, keys in lower case; empty when no worker answered. */
  readonly info: ReadonlyMap<string, string>;
  /** Socket that `info` was asked on. */
  readonly infoFrom: string;
  readonly processes: Processes | undefined;
  /** Ports that HAProxys of somebody else listen on. */
  readonly strangers: readonly (Listener & { readonly pid: number })[];
  /** Open files that /proc/PID/limits allows. */
  readonly limits: {
    readonly master: OpenFiles | undefined;
    readonly worker: OpenFiles | undefined;
  };
  /** HAProxy's last words, oldest first; only when something seems wrong. */
  readonly journal: readonly string[];
}

interface OpenFiles {
  readonly pid: number;
  /** What the process may raise its own limit to. Infinity when there is none. */
  readonly hard: number;
}

export function haproxyFacts(output: ProbeOutput): HaproxyFacts {
  const files = fileFacts(output);
  const config = files.get(CONFIG);
  const dropIn = files.get(DROP_IN);
  const loadRecorder = files.get(LOAD_RECORDER);
  const units = unitFacts(output);
  const unit = units.get(UNIT);
  if (config === undefined || dropIn === undefined || loadRecorder === undefined || unit === undefined) {
    throw new ProbeNotUnderstood("the files or the unit were not printed");
  }
  const configCheck = fieldOf(output, "config_check");
  return {
    config,
    dropIn,
    loadRecorder,
    loaded: loadedConfig(fieldOf(output, "loaded"), invocationOf(output, UNIT)),
    unit,
    watcherUnits: new Map([...units].filter(([name]) => name !== UNIT)),
    candidate: fieldOf(output, "candidate"),
    limitNofile: fieldOf(output, "limit_nofile"),
    configCheck: configCheck === undefined ? undefined : Number(configCheck),
    environmentLines: rowsOf(output, "environment_line").map(([path, line, text]) => ({
      path: path!,
      line: Number(line),
      text: text ?? "",
    })),
    command: (fieldOf(output, "command") ?? "").split("\n").filter((word) => word !== ""),
    sockets: pairs(output, "socket"),
    servers: rowsOf(output, "server").map(serverState),
    info: pairs(output, "info"),
    infoFrom: fieldOf(output, "info_from") ?? "",
    processes: processesOf(rowsOf(output, "process").map(([line]) => line ?? "")),
    strangers: rowsOf(output, "stranger").map(([local = "", pid]) => ({
      address: local.slice(0, local.lastIndexOf(":")),
      port: Number(local.slice(local.lastIndexOf(":") + 1)),
      process: "haproxy",
      pid: Number(pid),
    })),
    limits: { master: openFiles(output, "master"), worker: openFiles(output, "worker") },
    journal: rowsOf(output, "journal").map(([line]) => line ?? ""),
  };
}

function pairs(output: ProbeOutput, key: string): ReadonlyMap<string, string> {
  return new Map(rowsOf(output, key).map(([name, value]) => [name!, value ?? ""]));
}

function openFiles(output: ProbeOutput, role: string): OpenFiles | undefined {
  const row = rowsOf(output, "limit").find(([name]) => name === role);
  if (row === undefined) return undefined;
  const [, pid, , hard] = row;
  return { pid: Number(pid), hard: hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard) };
}

/** Whether the service runs; also while it reloads. */
export function isActive({ unit }: HaproxyFacts): boolean {
  return unit.active === "active" || unit.active === "reloading";
}

/** Whether the last reload failed, and an older worker serves on. */
export function reloadFailed({ processes, unit }: HaproxyFacts): boolean {
  return processes?.lastReloadFailed === true || unit.statusText === "Reload failed!";
}
