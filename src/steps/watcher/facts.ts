import { type FileFact, fileFacts } from "../../evidence/file.ts";
import { fieldOf, rowsOf } from "../../evidence/probe-output.ts";
import { type UnitFact, unitFacts } from "../../evidence/unit.ts";
import { ProbeNotUnderstood, type ProbeOutput } from "../../step.ts";
import { type Backend, keptBackends } from "./backends.ts";
import { WATCHER_UNIT } from "./paths.ts";

/** What the probe read of a host. */
export interface WatcherFacts {
  readonly units: ReadonlyMap<string, UnitFact>;
  readonly files: ReadonlyMap<string, FileFact>;
  /** What /usr/bin/ruby is a link to, for example "ruby3.1". */
  readonly ruby: string | undefined;
  /** Builds in place: key → the first line about a damaged file, "" when all is as it was unpacked. */
  readonly builds: ReadonlyMap<string, string>;
  readonly userExists: boolean;
  readonly process: WatcherProcess | undefined;
  /** Last error in the watcher's journal, when it was restarted. */
  readonly lastError: string | undefined;
  readonly install: InstallerResult | undefined;
  readonly reload: InstallerResult | undefined;
  /** Files that wait for the installer. */
  readonly waiting: readonly string[];
  /** Last backends of each service, as a restarted Synapse would begin with. */
  readonly kept: ReadonlyMap<string, readonly Backend[]>;
  readonly haproxy: HaproxyFacts | { readonly unreachable: string };
  /** Undefined when no service has a path. */
  readonly registry: RegistryFacts | { readonly unreachable: string } | undefined;
}

interface WatcherProcess {
  readonly pid: number;
  readonly user: string;
  readonly ageSeconds: number;
  readonly commandLine: string;
  /** Members of the ensemble it has a connection to. */
  readonly sessions: readonly string[];
  /** Sum of each file it was started with; undefined when the record is of an earlier start or there is none. */
  readonly startedWith: ReadonlyMap<string, string> | undefined;
}

/** One line of the installer: what came of it. */
interface InstallerResult {
  /** "ok", "invalid", "refused" or "failed". */
  readonly outcome: string;
  /** sha256 of haproxy.cfg, or for a reload the file's description. */
  readonly digest: string;
  readonly message: string;
}

export interface HaproxyFacts {
  readonly description: string;
  readonly servers: readonly { readonly backend: string; readonly name: string; readonly status: string }[];
}

interface RegistryFacts {
  /** The member that answered. */
  readonly member: string;
  /** Service → data of each child; undefined when the path does not exist. */
  readonly children: ReadonlyMap<string, ReadonlyMap<string, string> | undefined>;
}

export function watcherFacts(output: ProbeOutput): WatcherFacts {
  return {
    units: unitFacts(output),
    files: fileFacts(output),
    ruby: fieldOf(output, "ruby"),
    builds: new Map(rowsOf(output, "tree").map(([key, damaged]) => [key!, damaged ?? ""])),
    userExists: (fieldOf(output, "user") ?? "") !== "",
    process: processFacts(output),
    lastError: fieldOf(output, "journal"),
    install: installerResult(fieldOf(output, "install")),
    reload: installerResult(fieldOf(output, "reload")),
    waiting: rowsOf(output, "waiting").map(([name]) => name!),
    kept: keptBackends(fieldOf(output, "kept") ?? ""),
    haproxy: haproxyFacts(output),
    registry: registryFacts(output),
  };
}

function processFacts(output: ProbeOutput): WatcherProcess | undefined {
  const row = rowsOf(output, "process")[0];
  if (row === undefined) return undefined;
  const [pid, user, age, commandLine] = row.map((field) => field.trim());
  // It ended while the probe looked at it.
  if (!user || !age) return undefined;
  return {
    pid: Number(pid),
    user,
    ageSeconds: Number(age),
    commandLine: commandLine ?? "",
    sessions: rowsOf(output, "session").map(([peer]) => peer!),
    startedWith: startRecord(output),
  };
}

function startRecord(output: ProbeOutput): ReadonlyMap<string, string> | undefined {
  const record = fieldOf(output, "started");
  if (record === undefined) return undefined;
  const [first, ...sums] = record.split("\n");
  const invocation = rowsOf(output, "unit").find(
    ([unit, property]) => unit === WATCHER_UNIT && property === "InvocationID",
  )?.[2];
  if (!invocation || first !== `invocation ${invocation}`) return undefined;
  return new Map(sums.filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)]));
}

function installerResult(line: string | undefined): InstallerResult | undefined {
  if (line === undefined || line === "") return undefined;
  const [outcome, digest, ...message] = line.split("\t");
  return { outcome: outcome!, digest: digest ?? "", message: message.join(" ") };
}

function haproxyFacts(output: ProbeOutput): WatcherFacts["haproxy"] {
  const [state, first, second] = rowsOf(output, "haproxy")[0] ?? [];
  if (state === undefined) throw new ProbeNotUnderstood(`"haproxy" was not printed`);
  if (state !== "ok") return { unreachable: first ?? "" };
  const servers = rowsOf(output, "server").map(([backend, name, status]) => ({
    backend: backend!,
    name: name!,
    status: status ?? "",
  }));
  return { description: second ?? "", servers };
}

function registryFacts(output: ProbeOutput): WatcherFacts["registry"] {
  const [state, detail] = rowsOf(output, "registry")[0] ?? [];
  if (state === undefined) return undefined;
  if (state !== "ok") return { unreachable: detail ?? "" };
  const children = new Map<string, Map<string, string> | undefined>();
  for (const [service, is] of rowsOf(output, "path")) {
    children.set(service!, is === "present" ? new Map() : undefined);
  }
  for (const [service, name, data] of rowsOf(output, "child")) {
    children.get(service!)?.set(decodeHex(name), decodeHex(data));
  }
  return { member: detail ?? "", children };
}

function decodeHex(hex: string | undefined): string {
  return Buffer.from(hex ?? "", "hex").toString("utf8");
}
