import { assessFile, type FileAssessment, type FileFact, sha256Of } from "../../evidence/file.ts";
import { judge } from "../../evidence/verdict.ts";
import type { Assessed, HostFacts, Layer, Reading } from "../../step.ts";
import { onDisk, shadowedBy, whyPassedOver, whyUnread } from "./boot.ts";
import { OVERHEAD_BYTES, wantedPool } from "./buffer-pool.ts";
import { changesFor, nextChange, type Plan } from "./changes.ts";
import { renderDropIn } from "./drop-in.ts";
import type { InstalledFacts, MysqlFacts } from "./facts.ts";
import {
  isClamped,
  resizingTo,
  serviceBecause,
  serviceInForce,
  settingInForce,
  stateOf,
} from "./in-force.ts";
import type { MysqlParameters } from "./parameters.ts";
import { type InstalledServer, installedServer, MARIADB, MYSQL, type Server } from "./server.ts";
import { POOL, type Setting, wantedSettings } from "./settings.ts";
import { parseSize, showBytes } from "./size.ts";

/** The server asked for; what is installed decides when nothing is. */
export function chosenServer(asked: MysqlParameters["server"], found: Server | undefined): Server {
  if (asked === "auto") return found ?? MARIADB;
  return asked === "mysql" ? MYSQL : MARIADB;
}

export function assess(desired: MysqlParameters, facts: MysqlFacts, host: HostFacts): Assessed {
  const inPackages = installedServer(host.packages);
  const found = inPackages?.server ?? facts.installed?.server;
  const server = chosenServer(desired.server, found);
  if (found !== undefined && found !== server) return { readings: [otherServer(server, found)], changes: [] };

  const installed = inPackages === undefined ? undefined : facts.installed;
  const dropIn = facts.dropIns.get(server.dropIn)!;
  const settings = wantedSettings(desired, server, installed, host.memoryBytes, dropIn.content);
  const content = renderDropIn(settings.map(({ name, inFile }) => [name, inFile]));
  const file = assessFile(
    dropIn,
    { path: server.dropIn, content: [content], mode: "0644", owner: "root:root" },
    host.manifest,
    desired.adopt,
  );
  const fileRow = {
    ...fileReading(dropIn, content),
    blocked: file.blocked ?? (installed && whyUnread(installed, server.dropIn)),
    because: (installed && passedOver(installed, server.dropIn)) ?? changedSince(file, server.dropIn),
    diff: file.diff,
  };
  const settingRows = settings.map((setting) =>
    settingReading(setting, installed, { path: server.dropIn, content, agrees: file.agrees }),
  );
  const rows: readonly Reading[] = [
    packageReading(server, inPackages, installed),
    ...(installed === undefined ? [] : [optionFilesReading(installed)]),
    fileRow,
    ...settingRows.map((row) => withoutRoom(row, desired, host)),
    bootReading(server, installed),
    serviceReading(server, installed),
  ];
  const plan: Plan = {
    server,
    state: installed === undefined ? "absent" : stateOf(installed),
    write: file.agrees ? undefined : file.write,
    writeWhy: `${server.dropIn} is ${file.ownership === "absent" ? "missing" : "not as wanted"}`,
    differing: installed === undefined ? [] : settings.filter((setting) => differs(setting, installed)),
    isResizing:
      installed !== undefined && settings.some((setting) => resizingTo(setting, installed) !== undefined),
    isEnabled: installed?.unit.enabled === "enabled",
    settings,
    installed,
  };
  const refused = rows.find((row) => holdsBack(row, plan));
  if (refused !== undefined) {
    const held = `left alone until this is settled: ${refused.setting}: ${judge(refused).because}`;
    const readings = rows.map((row) => (row === refused ? row : { ...row, because: row.because ?? held }));
    return { readings, changes: [] };
  }
  return {
    readings: rows.map((row) => ({ ...row, closedBy: closedBy(row, plan) })),
    changes: changesFor(plan),
  };
}

const OPTION_FILES = "option files";

/** Rows that no change of ours closes. While there is one, nothing is changed: no restart in vain. */
function holdsBack(row: Reading, { write, state }: Plan): boolean {
  if (row.blocked !== undefined || row.cause === "shadowed") return true;
  const { verdict } = judge(row);
  if (row.setting === OPTION_FILES)
    return verdict === "unknown" || (verdict !== "proven" && write === undefined);
  return verdict === "unknown" && state === "running";
}

function closedBy(row: Reading, plan: Plan): Reading["closedBy"] {
  const { server, state, write } = plan;
  if (row.setting === server.package) return state === "absent" ? { change: "packages" } : undefined;
  const isFile = row.setting === server.dropIn || row.setting === OPTION_FILES;
  const change = isFile ? write && "settings" : nextChange(plan);
  return change === undefined ? undefined : { change };
}

function otherServer(asked: Server, found: Server): Reading {
  return {
    setting: "server",
    want: asked.title,
    onDisk: { is: "read", value: found.title, source: "dpkg" },
    inForce: { is: "inapplicable" },
    blocked: `${found.title} is installed here, and installing ${asked.title} would remove it from its data: move the data by hand, or say "server: ${found.name}"`,
  };
}

function packageReading(
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
        ? { is: "absent", source: "dpkg" }
        : { is: "read", value: inPackages.version, source: `dpkg: ${inPackages.package}` },
    inForce:
      running === undefined
        ? { is: "inapplicable" }
        : { is: "read", value: running, source: "SHOW GLOBAL VARIABLES: version" },
    accepts: (value, layer) => layer === "onDisk" || /mariadb/i.test(value) === (server.name === "mariadb"),
  };
}

/** Whether the server would start with the option files as they are, whoever wrote them. */
function optionFilesReading({ server, parser }: InstalledFacts): Reading {
  const source = server.name === "mysql" ? "mysqld --validate-config" : server.parser;
  const isRefused = parser.errors.length > 0 || parser.exitCodes.some((code) => code !== 0);
  const said = parser.errors.map((line) => line.replace(/^[\d-]+[T ][\d:.]+Z? \d+ /, ""));
  return {
    setting: OPTION_FILES,
    want: "accepted",
    onDisk:
      parser.version === ""
        ? { is: "unreadable", source, because: said[0] ?? "it did not answer" }
        : { is: "read", value: isRefused ? "refused" : "accepted", source },
    inForce: { is: "inapplicable" },
    because: isRefused
      ? `the server would not start with its option files: ${said[0] ?? `exit code ${parser.exitCodes}`}`
      : undefined,
  };
}

function fileReading(fact: FileFact, content: string): Reading {
  const show = (sha256: string, mode: string, owner: string) => `${sha256.slice(0, 12)} ${mode} ${owner}`;
  const absent = fact.kind === "absent" || fact.kind === "dangling link";
  return {
    setting: fact.path,
    want: show(sha256Of(content), "0644", "root:root"),
    onDisk: absent
      ? { is: "absent", source: fact.path }
      : { is: "read", value: show(fact.sha256, fact.mode, fact.owner), source: fact.path },
    inForce: { is: "inapplicable" },
  };
}

function changedSince({ ownership, diff }: FileAssessment, path: string): string | undefined {
  if (ownership === "edited") return `${path} was changed since meshctl wrote it`;
  return ownership === "ours" && diff?.was !== diff?.want
    ? `${path} holds what was asked for before`
    : undefined;
}

function passedOver(facts: InstalledFacts, path: string): string | undefined {
  const why = whyPassedOver(facts, path);
  return why === undefined ? undefined : `the server passes over ${path}: ${why}`;
}

function settingReading(
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
  return {
    ...row,
    onDisk: onDisk(setting, installed),
    inForce: settingInForce(setting, installed),
    cause: shadow !== undefined ? "shadowed" : isClamped(setting, installed) ? "clamped" : undefined,
    because: shadow ?? clampedBecause(setting, installed) ?? resizingBecause(setting, installed),
  };
}

function clampedBecause(setting: Setting, installed: InstalledFacts): string | undefined {
  if (!isClamped(setting, installed)) return undefined;
  return `${POOL}_max holds what runs at ${showBytes(Number(installed.live?.get(POOL)))}: a restart raises both`;
}

function resizingBecause(setting: Setting, installed: InstalledFacts): string | undefined {
  return resizingTo(setting, installed) === undefined
    ? undefined
    : "the server is still resizing its redo log";
}

/** Whether the running server has it otherwise, so that it must be told. */
function differs(setting: Setting, installed: InstalledFacts): boolean {
  const value = installed.live?.get(setting.name);
  return stateOf(installed) === "running" && value !== undefined && !setting.acceptsLive(Number(value));
}

/** Neither MariaDB's nor MySQL's validator compares the pool with the memory: the server would die of it later. */
function withoutRoom(row: Reading, desired: MysqlParameters, { memoryBytes }: HostFacts): Reading {
  const { bytes } = wantedPool(desired.bufferPoolSize, memoryBytes);
  if (row.setting !== POOL || bytes + OVERHEAD_BYTES <= memoryBytes) return row;
  const room = showBytes(Math.floor(memoryBytes / 2 ** 20) * 2 ** 20);
  return {
    ...row,
    blocked: `a pool of ${showBytes(bytes)} and ${showBytes(OVERHEAD_BYTES)} beside it do not fit into ${room} of memory: ask for less`,
  };
}

function bootReading(server: Server, installed: InstalledFacts | undefined): Reading {
  const state = installed?.unit.enabled ?? "";
  return {
    setting: `${server.unit} at boot`,
    want: "enabled",
    onDisk:
      state === "" || state === "not-found"
        ? { is: "absent", source: server.unit }
        : { is: "read", value: state, source: `systemctl is-enabled ${server.unit}` },
    inForce: { is: "inapplicable" },
    blocked:
      installed?.unit.load === "masked"
        ? `${server.unit} is masked, so somebody wants it never to start: systemctl unmask ${server.unit}`
        : undefined,
  };
}

function serviceReading(server: Server, installed: InstalledFacts | undefined): Reading {
  return {
    setting: server.unit,
    want: "running",
    onDisk: { is: "inapplicable" },
    inForce: installed === undefined ? { is: "absent", source: server.unit } : serviceInForce(installed),
    because: installed && serviceBecause(installed),
  };
}
