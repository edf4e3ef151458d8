import type { Listener } from "../../contract/host.ts";
import type { SurroundingsFacts } from "../../daemon/look-at-surroundings.ts";
import type { UnitState } from "../../daemon/switched-off.ts";
import type { UnitFact } from "../../daemon/unit.ts";
import type { FileFact } from "../../evidence/file.ts";
import type { HaproxyConfig } from "../../haproxy/config.ts";
import type { AdminSocket, WorkerInfo } from "../../haproxy/look.ts";
import type { Processes } from "../../haproxy/processes.ts";
import type { ServedServices } from "../../haproxy/served.ts";
import type { Table } from "../../haproxy/server-state.ts";
import type { Answer } from "../../reader/answer.ts";

export interface HaproxyFacts {
  readonly config: FileFact;
  readonly dropIn: FileFact;
  readonly loadRecorder: FileFact;
  /** What this start of HAProxy was loaded with last; absent when that is not on record. */
  readonly loaded: Answer<HaproxyConfig>;
  readonly unit: UnitFact;
  /** What the unit needs around it; undefined where there is no such unit. */
  readonly surroundings?: SurroundingsFacts | undefined;
  /** Of the watcher, by name. */
  readonly watcherUnits: ReadonlyMap<string, UnitState>;
  /** Version that apt would install; only when HAProxy is not there, and "" or "(none)" when apt has none. */
  readonly candidate: Answer<string> | undefined;
  /** LimitNOFILE as systemd has loaded it from all files of the unit; undefined when HAProxy is not there. */
  readonly limitNofile: Answer<string> | undefined;
  /** Exit code of `haproxy -c` on haproxy.cfg; only when the unit does not run. */
  readonly configCheck: Answer<number> | undefined;
  /** Lines of the unit's files of variables that its command line may use. */
  readonly environmentLines: readonly {
    readonly path: string;
    readonly line: number;
    readonly text: string;
  }[];
  /** The first of those files that was not read. */
  readonly unreadEnvironment: { readonly path: string; readonly because: string } | undefined;
  readonly socket: AdminSocket;
  /** The worker's `show stat`; empty where it was not asked. */
  readonly table: Answer<Table>;
  /** What came of a request through each front end; absent where HAProxy does not run. */
  readonly served: Answer<ServedServices>;
  /** Host names of servers in haproxy.cfg, each with why it does not resolve, or "". */
  readonly names: Answer<ReadonlyMap<string, string>>;
  /** Of those that resolve: to what, and the line of /etc/hosts that says so, "" where another does. */
  readonly leadTo: ReadonlyMap<string, { readonly addresses: readonly string[]; readonly hosts: string }>;
  /** The worker's `show info`; empty when no worker answered. */
  readonly info: WorkerInfo;
  /** Socket that `info` was asked on. */
  readonly infoFrom: string;
  /** Absent where the master has no socket, or HAProxy does not run. */
  readonly processes: Answer<Processes>;
  /** All tables of nftables, as JSON; absent where there are some and no nft to list them. */
  readonly ruleset: Answer<string>;
  /** Rules that nft does not list, or tells by names alone, in the words of iptables-save. */
  readonly iptables: Answer<string>;
  /** Who else listens on the ports of front ends, and where else a HAProxy of somebody else does, in ss's own words. */
  readonly strangers: Answer<readonly (Listener & { readonly pid: number })[]>;
  /** Absent where none runs. */
  readonly master: Answer<HaproxyProcess>;
  readonly worker: Answer<HaproxyProcess>;
  /** HAProxy's last words, oldest first; only when something seems wrong. */
  readonly journal: readonly string[];
}

export interface HaproxyProcess {
  readonly pid: number;
  /** Word by word. */
  readonly command: readonly string[];
  /** Open files that it may raise its own limit to. Infinity when there is no such limit. */
  readonly hardOpenFiles: number;
}

/** Whether the service runs; also while it reloads. */
export function isActive({ unit }: Pick<HaproxyFacts, "unit">): boolean {
  return isRunning(unit.active);
}

export function isRunning(activeState: string): boolean {
  return activeState === "active" || activeState === "reloading";
}

/** Whether the last reload failed, and an older worker serves on. */
export function reloadFailed({ processes, unit }: HaproxyFacts): boolean {
  return (
    (processes.is === "value" && processes.value.lastReloadFailed) || unit.statusText === "Reload failed!"
  );
}

/** Processes of HAProxy's that do their work, as far as the master tells. */
export function livingProcesses({ processes }: HaproxyFacts): readonly number[] {
  return processes.is === "value" ? [...processes.value.workers, ...processes.value.oldWorkers] : [];
}
