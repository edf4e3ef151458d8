import type { Layer } from "../../step.ts";
import {
  INSTALLER_PATH_UNIT,
  INSTALLER_UNIT,
  PROGRAM_DIRECTORY,
  START_RECORD,
  unitPath,
  WATCHER_UNIT,
  WATCHER_USER,
} from "./paths.ts";
import { type AssessedFile, type Row, type Situation, STARTED_WITH } from "./situation.ts";

const INAPPLICABLE: Layer = { is: "inapplicable" };

/** A Synapse that was restarted and is younger is not believed to run. */
const STEADY_SECONDS = 10;

export function rubyRow({ host }: Situation): Row {
  const version = host.packages.get("ruby");
  return {
    setting: "package ruby",
    want: "installed",
    onDisk: version === undefined ? { is: "absent", source: "dpkg" } : read(version, "dpkg"),
    inForce: INAPPLICABLE,
    accepts: () => true,
  };
}

/** The gems in place, each file as it was unpacked, and those that run. */
export function gemsRow({ facts, build }: Situation): Row {
  const damaged = facts.builds.get(build.key);
  const running = facts.process && runningKey(facts.process.commandLine);
  return {
    setting: "gems",
    want: build.key,
    onDisk:
      damaged === undefined
        ? { is: "absent", source: build.directory }
        : read(damaged === "" ? build.key : `damaged: ${damaged}`, `${build.directory}/SHA256SUMS`),
    inForce: runLayer(facts.process?.pid, "cmdline", running),
  };
}

function runningKey(commandLine: string): string | undefined {
  return commandLine
    .split(" ")
    .find((word) => word.startsWith(`${PROGRAM_DIRECTORY}/synapse-`))
    ?.slice(PROGRAM_DIRECTORY.length + 1)
    .split("/")[0];
}

export function userRow({ facts }: Situation): Row {
  return {
    setting: "user",
    want: WATCHER_USER,
    onDisk: facts.userExists ? read(WATCHER_USER, "/etc/passwd") : { is: "absent", source: "/etc/passwd" },
    inForce: runLayer(facts.process?.pid, "status", facts.process?.user),
  };
}

/** A file of the step; in force is what the running Synapse or systemd took in. */
export function fileRow({ facts }: Situation, file: AssessedFile): Row {
  const { path, fact, assessment, sha256 } = file;
  const ownMode = assessment.agrees || fact.sha256 !== sha256 ? "" : ` ${fact.mode} ${fact.owner}`;
  return {
    setting: path,
    want: short(sha256),
    onDisk:
      fact.kind === "absent"
        ? { is: "absent", source: path }
        : read(fact.kind === "regular" ? `${short(fact.sha256)}${ownMode}` : fact.kind, path),
    inForce: inForceOf(facts, file),
    blocked: assessment.blocked,
    diff: assessment.diff,
  };
}

function inForceOf(facts: Situation["facts"], { path, sha256 }: AssessedFile): Layer {
  if (STARTED_WITH.includes(path)) {
    const digest = facts.process?.startedWith?.get(path);
    return digest === undefined ? { is: "absent", source: START_RECORD } : read(short(digest), START_RECORD);
  }
  const unit = [INSTALLER_UNIT, INSTALLER_PATH_UNIT].find((name) => unitPath(name) === path);
  if (unit === undefined) return INAPPLICABLE;
  const known = facts.units.get(unit);
  if (known === undefined || known.load !== "loaded") return { is: "absent", source: "systemd" };
  return read(known.needDaemonReload ? "an older one" : short(sha256), "systemd");
}

export function watcherUnitRow({ facts }: Situation): Row {
  const unit = facts.units.get(WATCHER_UNIT);
  const { process } = facts;
  const steady =
    process !== undefined &&
    unit?.active === "active" &&
    (unit.restarts === 0 || process.ageSeconds >= STEADY_SECONDS);
  const state = unit === undefined ? "unknown" : `${unit.active} (${unit.sub})`;
  return {
    setting: WATCHER_UNIT,
    want: "enabled, running",
    onDisk: enabledLayer(unit?.enabled, WATCHER_UNIT),
    inForce: read(
      steady
        ? "running"
        : process === undefined
          ? state
          : `running for ${process.ageSeconds} s after ${unit?.restarts ?? 0} restarts`,
      process === undefined ? "systemd" : `PID ${process.pid}`,
    ),
    accepts: (value, layer) => value === (layer === "onDisk" ? "enabled" : "running"),
    because:
      facts.lastError && `it was started ${unit?.restarts} times again; its last error: ${facts.lastError}`,
  };
}

export function pathUnitRow({ facts }: Situation): Row {
  const unit = facts.units.get(INSTALLER_PATH_UNIT);
  return {
    setting: INSTALLER_PATH_UNIT,
    want: "enabled, running",
    onDisk: enabledLayer(unit?.enabled, INSTALLER_PATH_UNIT),
    inForce: read(unit?.active === "active" ? "running" : (unit?.active ?? "unknown"), "systemd"),
    accepts: (value, layer) => value === (layer === "onDisk" ? "enabled" : "running"),
  };
}

export function sessionRow({ desired, facts }: Situation): Row {
  const sessions = facts.process?.sessions ?? [];
  const registryIsAway = facts.registry !== undefined && "unreachable" in facts.registry;
  return {
    setting: "ZooKeeper session",
    want: "with a member",
    onDisk: INAPPLICABLE,
    inForce:
      sessions.length === 0
        ? { is: "absent", source: `connections of PID ${facts.process?.pid ?? "none"}` }
        : read(sessions.join(", "), `connections of PID ${facts.process?.pid}`),
    accepts: (value) => value.split(", ").some((peer) => desired.members.includes(peer)),
    because:
      registryIsAway && "unreachable" in facts.registry!
        ? `no member of the ensemble answers: ${facts.registry.unreachable}`
        : undefined,
    restartHelps: !registryIsAway,
  };
}

function enabledLayer(state: string | undefined, unit: string): Layer {
  const source = `systemctl is-enabled ${unit}`;
  return state === undefined || state === "" || state === "not-found"
    ? { is: "absent", source }
    : read(state, source);
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
