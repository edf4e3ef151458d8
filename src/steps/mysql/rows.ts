import type { HostFacts } from "../../contract/host.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import { bootRow, deathWarning, nextStartRow, withFindings } from "../../daemon/rows.ts";
import { packageQuestion, unitQuestion } from "../../evidence/by-hand.ts";
import { type FileAssessment, type FileFact, sha256Of } from "../../evidence/file.ts";
import { judgeAsItRuns } from "./as-it-runs.ts";
import { onDisk, shadowedBy, whyPassedOver } from "./boot.ts";
import { OVERHEAD_BYTES, wantedPool } from "./buffer-pool.ts";
import { withoutTime } from "./error-log.ts";
import type { InstalledFacts } from "./facts.ts";
import {
  isClamped,
  resizingTo,
  serviceBecause,
  serviceInForce,
  settingInForce,
  stateOf,
} from "./in-force.ts";
import { commandLineOptions } from "./option-files.ts";
import type { MysqlParameters } from "./parameters.ts";
import { type Proxied, proxiedWarnings } from "./proxied.ts";
import { type InstalledServer, type Server, variableQuestion } from "./server.ts";
import { POOL, type Setting } from "./settings.ts";
import { parseSize, showBytes } from "./size.ts";

export const OPTION_FILES = "option files";

export function otherServer(asked: Server, found: Server): Reading {
  return {
    setting: "server",
    want: asked.title,
    onDisk: { is: "read", value: found.title, source: packageQuestion(found.package) },
    inForce: { is: "inapplicable" },
    blocked: `${found.title} is installed here, and installing ${asked.title} would remove it from its data: move the data by hand, or say "server: ${found.name}"`,
  };
}

export function packageReading(
  server: Server,
  inPackages: InstalledServer | undefined,
  installed: InstalledFacts | undefined,
): Reading {
  const running = installed?.live?.get("version");
  return {
    setting: server.package,
    want: "installed",
    onDisk:
      inPackages === undefined
        ? { is: "absent", source: packageQuestion(server.package) }
        : { is: "read", value: inPackages.version, source: packageQuestion(inPackages.package) },
    inForce:
      running === undefined
        ? { is: "inapplicable" }
        : { is: "read", value: running, source: variableQuestion(server, "version") },
    accepts: (value, layer) =>
      layer === "onDisk" ||
      (/mariadb/i.test(value) === (server.name === "mariadb") && (!installed || !runsOldVersion(installed))),
    because:
      installed !== undefined && runsOldVersion(installed)
        ? `${running} runs since before ${installed.parser.version} was installed: it needs a restart`
        : undefined,
  };
}

/** Whether the program on disk is another version than the server that runs. */
export function runsOldVersion({ live, parser }: InstalledFacts): boolean {
  const running = live?.get("version");
  return (
    running !== undefined && parser.version !== "" && bareVersion(running) !== bareVersion(parser.version)
  );
}

/** "-log" says only that the server keeps one, and it stands in what the program on disk says too. */
function bareVersion(version: string): string {
  return version.split(" ", 1)[0]!.replace(/-log$/, "");
}

/** Whether the server would start with the option files as they are, whoever wrote them. */
export function optionFilesReading({ server, parser }: InstalledFacts): Reading {
  const source = server.name === "mysql" ? "mysqld --validate-config" : server.parser;
  const isRefused = parser.errors.length > 0 || parser.exitCodes.some((code) => code !== 0);
  const said = parser.errors.map(withoutTime);
  return {
    setting: OPTION_FILES,
    want: "accepted",
    onDisk:
      parser.unread !== undefined || parser.version === ""
        ? { is: "unreadable", source, because: parser.unread ?? said[0] ?? "it did not answer" }
        : { is: "read", value: isRefused ? "refused" : "accepted", source },
    inForce: { is: "inapplicable" },
    because:
      isRefused && parser.unread === undefined
        ? `the server would not start with its option files: ${said[0] ?? `exit code ${parser.exitCodes}`}`
        : undefined,
  };
}

export function fileReading(fact: FileFact, content: string): Reading {
  const show = (sha256: string, mode: string, owner: string) => `${sha256.slice(0, 12)} ${mode} ${owner}`;
  const absent = fact.kind === "absent" || fact.kind === "dangling link";
  return {
    setting: fact.path,
    want: show(sha256Of(content), "0644", "root:root"),
    onDisk: absent
      ? { is: "absent", source: fact.path }
      : fact.because !== undefined
        ? { is: "unreadable", source: fact.path, because: fact.because }
        : { is: "read", value: show(fact.sha256, fact.mode, fact.owner), source: fact.path },
    inForce: { is: "inapplicable" },
  };
}

export function changedSince({ ownership, diff }: FileAssessment, path: string): string | undefined {
  if (ownership === "edited") return `${path} was changed since meshctl wrote it`;
  return ownership === "ours" && diff?.was !== diff?.want
    ? `${path} holds what was asked for before`
    : undefined;
}

export function passedOver(facts: InstalledFacts, path: string): string | undefined {
  const why = whyPassedOver(facts, path);
  return why === undefined ? undefined : `the server passes over ${path}: ${why}`;
}

export function settingReading(
  setting: Setting,
  installed: InstalledFacts | undefined,
  dropIn: { path: string; content: string; agrees: boolean },
): Reading {
  const row = {
    setting: setting.name,
    want: setting.want,
    accepts: (value: string, layer: "onDisk" | "inForce") => {
      const number = parseSize(value) ?? Number.NaN;
      return layer === "onDisk" ? setting.accepts(number) : setting.acceptsLive(number);
    },
  };
  if (installed === undefined) {
    const absent: Layer = { is: "absent", source: "no server is installed" };
    return { ...row, onDisk: { is: "absent", source: dropIn.path }, inForce: absent };
  }
  const shadow = shadowedBy(setting, installed, dropIn);
  const clamped = dropIn.agrees && isClamped(setting, installed);
  return {
    ...row,
    onDisk: onDisk(setting, installed),
    inForce: settingInForce(setting, installed),
    cause: shadow !== undefined ? "shadowed" : clamped ? "clamped" : undefined,
    because: shadow ?? (clamped ? clampedBecause(installed) : undefined) ?? lateBecause(setting, installed),
  };
}

function clampedBecause(installed: InstalledFacts): string {
  const most = showBytes(Number(installed.live?.get(`${POOL}_max`)));
  return `the server was started with ${POOL}_max ${most}, and SET GLOBAL cannot pass that: it needs a restart`;
}

/** Why what runs is behind what is on disk. */
function lateBecause(setting: Setting, installed: InstalledFacts): string | undefined {
  if (resizingTo(setting, installed) !== undefined) return "the server is still resizing its redo log";
  const { process } = installed;
  const given = commandLineOptions(process?.commandLine ?? "").get(setting.name);
  if (process === undefined || given === undefined || !differs(setting, installed)) return undefined;
  return `PID ${process.pid} was started with --${setting.name}=${given}: it needs a restart`;
}

/** Whether the running server has it otherwise, so that it must be told. */
export function differs(setting: Setting, installed: InstalledFacts): boolean {
  const value = installed.live?.get(setting.name);
  return stateOf(installed) === "running" && value !== undefined && !setting.acceptsLive(Number(value));
}

/** Neither MariaDB's nor MySQL's validator compares the pool with the memory: the server would die of it later. */
export function withoutRoom(row: Reading, desired: MysqlParameters, { memoryBytes }: HostFacts): Reading {
  const { bytes } = wantedPool(desired.bufferPoolSize, memoryBytes);
  if (row.setting !== POOL || bytes + OVERHEAD_BYTES <= memoryBytes) return row;
  const room = showBytes(Math.floor(memoryBytes / 2 ** 20) * 2 ** 20);
  return {
    ...row,
    blocked: `a pool of ${showBytes(bytes)} and ${showBytes(OVERHEAD_BYTES)} beside it do not fit into ${room} of memory: ask for less`,
  };
}

export function bootReading(server: Server, installed: InstalledFacts | undefined): Reading {
  const setting = `${server.unit} at boot`;
  const absent: Layer = { is: "absent", source: server.unit };
  if (installed === undefined)
    return { setting, want: "enabled", onDisk: absent, inForce: { is: "inapplicable" } };
  const { unit } = installed;
  const row = bootRow(unit, setting, { ports: server.ports.map(({ port }) => port), kind: "database" });
  if (!unit.needDaemonReload) return row;
  const source = unitQuestion(server.unit, "NeedDaemonReload", "DropInPaths");
  return {
    ...row,
    inForce: { is: "read", value: "older files", source },
    because: `systemd has not read the files of ${server.unit} since they changed`,
  };
}

const LEAST_TASKS = 60;

/** The server with its pool as it is asked for. */
export function nextStartReading(
  installed: InstalledFacts,
  desired: MysqlParameters,
  { memoryBytes, addresses }: HostFacts,
): Reading {
  const { bytes } = wantedPool(desired.bufferPoolSize, memoryBytes);
  return withFindings(
    nextStartRow(installed.unit, { memoryBytes: bytes + OVERHEAD_BYTES, tasks: LEAST_TASKS }),
    judgeAsItRuns(installed, addresses),
  );
}

export function serviceReading(
  server: Server,
  installed: InstalledFacts | undefined,
  proxied: readonly Proxied[],
): Reading {
  const warnings = [
    ...(installed === undefined ? [] : [deathWarning(installed.unit)]),
    ...proxiedWarnings(server, installed?.live, proxied),
  ].filter((each) => each !== undefined);
  return {
    setting: server.unit,
    want: "running",
    onDisk: { is: "inapplicable" },
    inForce: installed === undefined ? { is: "absent", source: server.unit } : serviceInForce(installed),
    because: installed && serviceBecause(installed),
    warning: warnings.length === 0 ? undefined : warnings.join(". "),
  };
}
