import type { HostFacts } from "../contract/host.ts";
import type { Layer } from "../contract/reading.ts";
import { otherStart } from "../daemon/other-start.ts";
import {
  bootLayer,
  bootRow,
  deathWarning,
  nextStartRow,
  unsteadyBecause,
  withFindings,
} from "../daemon/rows.ts";
import { isUnsteady, showUnsteady, type UnitFact } from "../daemon/unit.ts";
import { packageQuestion, unitQuestion } from "../evidence/by-hand.ts";
import { type Build, buildDirectory } from "./build.ts";
import { rubyObstacle, rubyOf } from "./gem-set.ts";
import { type AssessedFile, type Program, type ProgramFacts, type Row, unitPath } from "./program.ts";
import { shadowFindings } from "./shadowed.ts";

const INAPPLICABLE: Layer = { is: "inapplicable" };

export function rubyRow({ title }: Program, facts: ProgramFacts, host: HostFacts): Row {
  const version = host.packages.get("ruby");
  return {
    setting: "package ruby",
    want: "installed",
    onDisk:
      version === undefined
        ? { is: "absent", source: packageQuestion("ruby") }
        : read(version, packageQuestion("ruby")),
    inForce: INAPPLICABLE,
    accepts: () => true,
    blocked: rubyObstacle(title, rubyOf(host, facts)),
  };
}

/** The gems in place, each file as it was unpacked, and those that run. */
export function gemsRow(program: Program, facts: ProgramFacts, { key }: Build): Row {
  const { builds, process } = facts;
  const damaged = builds.get(key);
  const unread = facts.unreadBuilds?.get(key);
  const directory = buildDirectory(program, key);
  return {
    setting: "gems",
    want: key,
    onDisk:
      unread !== undefined
        ? { is: "unreadable", source: `${directory}/SHA256SUMS`, because: unread }
        : damaged === undefined
          ? { is: "absent", source: directory }
          : read(damaged === "" ? key : `damaged: ${damaged}`, `${directory}/SHA256SUMS`),
    inForce: runLayer(process?.pid, "cmdline", process && runningKey(program, process.commandLine)),
  };
}

function runningKey({ directory }: Program, commandLine: string): string | undefined {
  return commandLine
    .split(" ")
    .find((word) => word.startsWith(`${directory}/gems-`))
    ?.slice(directory.length + 1)
    .split("/")[0];
}

export function userRow({ user }: Program, { userExists, process }: ProgramFacts): Row {
  return {
    setting: "user",
    want: user,
    onDisk: userExists ? read(user, "/etc/passwd") : { is: "absent", source: "/etc/passwd" },
    inForce: runLayer(process?.pid, "status", process?.user),
  };
}

/** A file of the step; in force is what the running program or systemd took in. */
export function fileRow(program: Program, facts: ProgramFacts, file: AssessedFile): Row {
  const { path, fact, assessment, sha256, isSecret } = file;
  // Not even the digest of a secret is shown.
  const shown = (digest: string) => (!isSecret ? short(digest) : digest === sha256 ? "as given" : "another");
  const unit = unitOf(facts, path);
  const isUnread = unit?.needDaemonReload === true;
  const ownMode = assessment.agrees || fact.sha256 !== sha256 ? "" : ` ${fact.mode} ${fact.owner}`;
  return {
    setting: path,
    want: shown(sha256),
    onDisk:
      fact.because !== undefined
        ? { is: "unreadable", source: path, because: fact.because }
        : fact.kind === "absent"
          ? { is: "absent", source: path }
          : read(fact.kind === "regular" ? `${shown(fact.sha256)}${ownMode}` : fact.kind, path),
    inForce: inForceOf(program, facts, file, shown),
    blocked:
      (fact.because === undefined ? assessment.blocked : undefined) ??
      (unit && otherStart(unit, fact.content)),
    because: isUnread ? `systemd has not read the files of ${unit.name} since they changed` : undefined,
    diff: fact.because === undefined ? assessment.diff : undefined,
  };
}

function unitOf({ units }: ProgramFacts, path: string): UnitFact | undefined {
  return [...units.values()].find(({ name }) => unitPath(name) === path);
}

function inForceOf(
  program: Program,
  facts: ProgramFacts,
  { path, sha256 }: AssessedFile,
  shown: (digest: string) => string,
): Layer {
  const unit = unitOf(facts, path);
  if (unit?.needDaemonReload)
    return read("older files", unitQuestion(unit.name, "NeedDaemonReload", "DropInPaths"));
  if (program.startedWith.includes(path)) {
    const digest = facts.process?.startedWith?.get(path);
    const source = program.startRecord;
    const lost = facts.process?.lostNote;
    if (digest === undefined && lost !== undefined) return { is: "unreadable", source, because: lost };
    return digest === undefined ? { is: "absent", source } : read(shown(digest), source);
  }
  if (unit === undefined) return INAPPLICABLE;
  const source = unitQuestion(unit.name, "LoadState", "NeedDaemonReload");
  return unit.load === "loaded" ? read(short(sha256), source) : { is: "absent", source };
}

export function unitRow({ unit: name }: Program, { units, process, lastError }: ProgramFacts): Row {
  const unit = units.get(name);
  const steady =
    process !== undefined && unit?.active === "active" && process.isFrozen !== true && !isUnsteady(unit);
  const state = unit === undefined ? "unknown" : `${unit.active} (${unit.sub})`;
  return {
    setting: name,
    want: "enabled, running",
    onDisk: unit === undefined ? { is: "absent", source: `systemctl is-enabled ${name}` } : bootLayer(unit),
    inForce: read(
      steady
        ? "running"
        : process === undefined
          ? state
          : process.isFrozen === true
            ? "frozen"
            : unit === undefined || !isUnsteady(unit)
              ? state
              : showUnsteady(unit),
      unitQuestion(name, "ActiveState", "SubState", "MainPID", "NRestarts"),
    ),
    accepts: (value, layer) => value === (layer === "onDisk" ? "enabled" : "running"),
    blocked: unit && bootRow(unit, name).blocked,
    because:
      lastError !== undefined && process?.isFrozen !== true
        ? `it was started ${unit?.restarts} times again; its last error: ${lastError}`
        : process === undefined
          ? `it is ${state}`
          : process.isFrozen === true
            ? `PID ${process.pid} was stopped by a signal: kill -CONT ${process.pid} lets it go on`
            : unit && unsteadyBecause(unit),
    warning: unit && deathWarning(unit),
    ...(process?.isFrozen === true ? { restartHelps: true } : {}),
  };
}

/** A unit that only has to be there and wait. */
export function companionRow(name: string, { units }: ProgramFacts): Row {
  const unit = units.get(name);
  return {
    setting: name,
    want: "enabled, running",
    onDisk: unit === undefined ? { is: "absent", source: `systemctl is-enabled ${name}` } : bootLayer(unit),
    inForce: read(
      unit?.active === "active" ? "running" : (unit?.active ?? "unknown"),
      unitQuestion(name, "ActiveState"),
    ),
    accepts: (value, layer) => value === (layer === "onDisk" ? "enabled" : "running"),
    blocked: unit && bootRow(unit, name).blocked,
  };
}

/** What a Ruby with its gems and threads takes at the least. */
const LEAST = { memoryBytes: 96 * 2 ** 20, tasks: 16 };

/** What else decides about the next start of the program, and of the units that go with it. */
export function nextStartRows(
  program: Program,
  { units, shadows = [] }: ProgramFacts,
  files: readonly AssessedFile[],
): readonly Row[] {
  const agrees = (name: string) =>
    files.find(({ path }) => path === unitPath(name))?.assessment.agrees === true;
  return [...units.values()].map((unit) => {
    const row = nextStartRow(unit, {
      ...(unit.name === program.unit ? LEAST : { memoryBytes: 0, tasks: 0 }),
      own: [unitPath(unit.name)],
      runs:
        unit.name === program.unit && agrees(unit.name)
          ? [{ key: "ExecStartPre", program: program.startRecord }]
          : [],
    });
    return unit.name === program.unit
      ? withFindings(row, shadowFindings(unit.name, shadows, unit.startedAt))
      : row;
  });
}

/** `members` are ADDRESS:PORT; `unreachable` says why none of them answers, when none does. */
export function sessionRow(
  { process }: ProgramFacts,
  members: readonly string[],
  unreachable: string | undefined,
): Row {
  const sessions = process?.sessions ?? [];
  const source = `ss -tnp state established | grep pid=${process?.pid ?? "none"},`;
  return {
    setting: "ZooKeeper session",
    want: "with a member",
    onDisk: INAPPLICABLE,
    inForce:
      process?.unreadSessions !== undefined
        ? { is: "unreadable", source, because: process.unreadSessions }
        : sessions.length === 0
          ? { is: "absent", source }
          : read(sessions.join(", "), source),
    accepts: (value) => value.split(", ").some((peer) => members.includes(peer)),
    because:
      unreachable !== undefined
        ? `no member of the ensemble answers: ${unreachable}`
        : process !== undefined && sessions.length === 0 && process.unreadSessions === undefined
          ? `PID ${process.pid} has no connection to any member`
          : undefined,
    restartHelps: unreachable === undefined,
  };
}

function runLayer(pid: number | undefined, file: string, value: string | undefined): Layer {
  if (pid === undefined) return { is: "absent", source: "no process" };
  const source = `/proc/${pid}/${file}`;
  return value === undefined ? { is: "absent", source } : read(value, source);
}

function short(digest: string): string {
  return `sha256 ${digest.slice(0, 12)}`;
}

function read(value: string, source: string): Layer {
  return { is: "read", value, source };
}
