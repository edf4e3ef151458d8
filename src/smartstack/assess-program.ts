import type { Change, Command } from "../contract/change.ts";
import type { HostFacts } from "../contract/host.ts";
import type { Reading } from "../contract/reading.ts";
import type { Assessed } from "../contract/step.ts";
import { isEnabled } from "../daemon/rows.ts";
import { accessRow, placeRow, refusalsOf } from "../daemon/surroundings-rows.ts";
import { judge } from "../evidence/verdict.ts";
import { type Build, buildDirectory } from "./build.ts";
import { type AssessedFile, type Program, type ProgramFacts, type Row, unitPath } from "./program.ts";
import { fileRow, gemsRow, nextStartRows, rubyRow, userRow } from "./program-rows.ts";

/** How long a new process may take to bring its work into force before another restart is thought of. */
const STARTING_SECONDS = 15;

const DAEMON_RELOAD = "daemon-reload";
const PACKAGES = "packages";
const GEMS = "gems";
const CONFIGURATION = "configuration";
const RESTART = "restart";
const PERMISSIONS = "permissions";

/**
 * Rows of a program and of what it brings about, and the changes that close them: ruby, then the gems, then what
 * the step makes `beforehand`, then the files with a start, or a restart alone.
 */
export function assessProgram(
  program: Program,
  situation: {
    readonly facts: ProgramFacts;
    readonly host: HostFacts;
    readonly build: Build;
    readonly files: readonly AssessedFile[];
  },
  /** Rows of what runs, in the order they are shown. */
  effects: readonly Row[],
  beforehand: readonly Change[] = [],
): Assessed {
  const { facts, host, build, files } = situation;
  const ruby = rubyRow(program, facts, host);
  const gems = gemsRow(program, facts, build);
  const user = userRow(program, facts);
  const around = surroundingRows(program, facts);
  const rows = [
    ruby,
    gems,
    user,
    ...files.map((file) => fileRow(program, facts, file)),
    ...nextStartRows(program, facts, files),
    ...effects,
    ...around,
  ];

  const open = new Set(beforehand.map(({ id }) => id));
  if (!isOnDisk(ruby)) open.add(PACKAGES);
  if (!isOnDisk(gems)) open.add(GEMS);
  const wrong = files.filter(({ assessment }) => !assessment.agrees);
  // A mode or an owner is mended where it is: what runs has read the file.
  const isMode = ({ fact, sha256 }: AssessedFile) => fact.kind === "regular" && fact.sha256 === sha256;
  if (!isOnDisk(user) || wrong.some((file) => !isMode(file))) open.add(CONFIGURATION);
  const isMended = wrong.some(isMode) || closedDirectories(facts).length > 0;
  const reason =
    open.size > 0 ? undefined : (restartReason(program, facts, files, build) ?? lastingReason(facts, rows));
  if (reason !== undefined) open.add(RESTART);
  // With other gems in place it has to be started with them.
  if (open.size > 0 && !open.has(CONFIGURATION)) open.add(RESTART);
  const starts = open.has(CONFIGURATION) ? CONFIGURATION : RESTART;
  const isRestartOpen = open.size > 0;
  if (isMended) open.add(PERMISSIONS);
  const unread = unreadUnits(facts, files);
  if (unread.length > 0) open.add(DAEMON_RELOAD);

  const closedBy = (row: Row): string | undefined => {
    if (unread.includes(row.setting)) return DAEMON_RELOAD;
    if (row === ruby && open.has(PACKAGES)) return PACKAGES;
    if (row === gems && open.has(GEMS)) return GEMS;
    const file = wrong.find(({ path }) => path === row.setting);
    if (around.includes(row) || (file !== undefined && isMode(file)))
      return open.has(PERMISSIONS) ? PERMISSIONS : undefined;
    if (open.has(RESTART) && row.restartHelps === false) return undefined;
    return isRestartOpen ? starts : undefined;
  };
  // What was not read whole may be as it is wanted.
  const isUnread =
    files.some(({ fact }) => fact.because !== undefined) || facts.unreadBuilds?.has(build.key) === true;
  const blocked = isUnread || rows.some((row) => row.blocked !== undefined);
  const readings = rows.map(({ restartHelps: _, ...row }, index): Reading => {
    const change = blocked ? undefined : closedBy(rows[index]!);
    if (change !== undefined) return { ...row, closedBy: { change } };
    const isUnknown = judge(row).verdict === "unknown";
    return { ...row, because: row.because ?? (isUnknown ? undefined : starting(program, facts)) };
  });
  if (blocked) return { readings, changes: [] };
  const [reload, permissions, packages, placeGems, ...start] = programChanges(program, situation, reason);
  const changes = [permissions!, reload!, packages!, placeGems!, ...beforehand, ...start];
  return { readings, changes: changes.filter(({ id }) => open.has(id)) };
}

/** Directories of meshctl's own, which everybody may enter. */
const OWN_DIRECTORY = /^\/etc\/meshctl$|^\/opt\/meshctl(?:\/|$)/;

function closedDirectories({ surroundings }: Pick<ProgramFacts, "surroundings">): readonly string[] {
  const refused = surroundings === undefined ? [] : refusalsOf(surroundings).refusals;
  return [
    ...new Set(
      refused.filter(({ isClosed, path }) => isClosed && OWN_DIRECTORY.test(path)).map(({ path }) => path),
    ),
  ];
}

/** /etc/meshctl holds files that not everybody may read. */
function opened(path: string): Command {
  const mode = path === "/etc/meshctl" ? (["a+rx"] as const) : (["-R", "a+rX"] as const);
  return { kind: "run", argv: ["chmod", ...mode, "--", path], timeoutMs: 15_000 };
}

function surroundingRows({ unit }: Program, { surroundings, files, units }: ProgramFacts): readonly Row[] {
  if (surroundings === undefined) return [];
  const closed = closedDirectories({ surroundings });
  const mended = (path: string) => (closed.includes(path) || files.has(path) ? PERMISSIONS : undefined);
  return [
    accessRow(surroundings, units.get(unit)?.startedAt, mended),
    placeRow(surroundings, "directories at boot", units.get(unit)),
  ];
}

function isOnDisk(row: Row): boolean {
  return judge({ ...row, blocked: undefined, inForce: { is: "inapplicable" } }).verdict === "proven";
}

/** Why the program or its units must be started anew although every file is as wanted; undefined when not. */
function restartReason(
  program: Program,
  { units, process }: ProgramFacts,
  files: readonly AssessedFile[],
  build: Build,
): string | undefined {
  const unit = units.get(program.unit);
  const companions = program.companions.map((name) => units.get(name));
  if (unit === undefined || companions.includes(undefined)) return "its units are not known to systemd";
  for (const each of [unit, ...companions.map((companion) => companion!)]) {
    if (!isEnabled(each)) return `${each.name} does not start at boot`;
  }
  for (const companion of companions) {
    if (companion!.active !== "active") return `${companion!.name} is ${companion!.active}`;
  }
  // "activating" is systemd trying again by itself: a restart would do no more.
  if (!["active", "activating"].includes(unit.active)) return `${program.unit} is ${unit.active}`;
  if (process === undefined) return undefined;
  if (!process.commandLine.includes(`${buildDirectory(program, build.key)}/`))
    return "it runs other gems than those in place";
  const isOther = (path: string, sha256: string) => {
    const digest = process.startedWith?.get(path);
    return digest === undefined ? process.lostNote === undefined : digest !== sha256;
  };
  const older = files.find(({ path, sha256 }) => program.startedWith.includes(path) && isOther(path, sha256));
  return older && `it was started with another ${older.path}`;
}

/** Units of ours whose files have changed since systemd read them. What would start is known only when it has. */
function unreadUnits({ units }: ProgramFacts, files: readonly AssessedFile[]): readonly string[] {
  const paths = [...units.values()]
    .filter(({ needDaemonReload }) => needDaemonReload)
    .map(({ name }) => unitPath(name));
  return paths.filter((path) => files.some((file) => file.path === path));
}

/** A program that runs as wanted, and for long enough, and yet what it should bring about is not so. */
function lastingReason({ process }: ProgramFacts, rows: readonly Row[]): string | undefined {
  if (process === undefined || process.ageSeconds < STARTING_SECONDS) return undefined;
  const wrong = rows.filter((row) => judge(row).verdict !== "proven");
  // What is beyond its power may be behind all the rest.
  if (wrong.some(({ restartHelps }) => restartHelps === false)) return undefined;
  const row = wrong.find((each) => each.restartHelps === true && judge(each).verdict !== "unknown");
  return row && `${row.setting}: ${judge(row).because}`;
}

function starting({ title }: Program, { process }: ProgramFacts): string | undefined {
  const age = process?.ageSeconds;
  return age !== undefined && age < STARTING_SECONDS ? `${title} was started ${age} s ago` : undefined;
}

/** Makes systemd take in the units, and starts the program anew with what is on disk. */
export function startProgram({ unit, companions }: Program): Command {
  const file = new URL("./start.sh", import.meta.url);
  return { kind: "script", file, args: [unit, ...companions], timeoutMs: 60_000 };
}

function programChanges(
  program: Program,
  { facts, build, files }: { facts: ProgramFacts; build: Build; files: readonly AssessedFile[] },
  reason: string | undefined,
): readonly Change[] {
  const { title, unit, user, home } = program;
  const disrupts = facts.process === undefined ? undefined : ({ kind: "restart", what: unit } as const);
  const start = startProgram(program);
  return [
    {
      id: DAEMON_RELOAD,
      why: `systemd has not read the files of ${title}'s units since they changed`,
      commands: [],
      activate: [{ kind: "run", argv: ["systemctl", "daemon-reload"], timeoutMs: 30_000 }],
    },
    {
      id: PERMISSIONS,
      why: `${user} may not read what ${title} needs at its next start`,
      commands: [
        ...closedDirectories(facts).map(opened),
        ...files
          .filter(({ assessment, fact, sha256 }) => !assessment.agrees && fact.sha256 === sha256)
          .map(({ assessment }) => assessment.write),
      ],
      activate: [],
    },
    {
      id: PACKAGES,
      why: `${title} needs ruby`,
      commands: [{ kind: "install", packages: ["ruby"] }],
      activate: [],
    },
    {
      id: GEMS,
      why: `${title}'s gems are not in place (${build.key}, built once on ${build.buildHost})`,
      commands: build.commands,
      activate: [],
    },
    {
      id: CONFIGURATION,
      why: `${title}'s files and units are not as wanted`,
      disrupts,
      commands: [
        {
          kind: "script",
          file: new URL("./create-user.sh", import.meta.url),
          args: [user, home],
          timeoutMs: 15_000,
        },
        ...files
          .filter(({ assessment, fact, sha256 }) => !assessment.agrees && fact.sha256 !== sha256)
          .map(({ assessment }) => assessment.write),
      ],
      activate: [start],
    },
    {
      id: RESTART,
      why: reason ?? `${title} does not run as it is on disk`,
      disrupts,
      commands: [],
      activate: [start],
    },
  ];
}
