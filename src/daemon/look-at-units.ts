import { type Answer, mapAnswer, NotUnderstood, read, readThere } from "../reader/answer.ts";
import type { Reader, UnitProperties } from "../reader/reader.ts";
import { askGiven, lookAsStarted } from "./as-started.ts";
import { bootPlan } from "./boot.ts";
import { bootLines } from "./boot-lines.ts";
import { ENDING_LINES, ENDING_WORDS, restartersOf } from "./endings.ts";
import type { LimitFact, NextStart, ProgramFact, UnitLine } from "./start-facts.ts";
import { lookAtTriggers } from "./triggers.ts";
import { type UnitFact, type UnitWords, unitFact } from "./unit.ts";
import { secondsOf } from "./unit-keys.ts";
import { START_KEYS } from "./unit-start.ts";

const PROPERTIES = [
  "Id",
  "LoadState",
  "ActiveState",
  "SubState",
  "UnitFileState",
  "MainPID",
  "NRestarts",
  "Result",
  "StatusText",
  "FragmentPath",
  "DropInPaths",
  "NeedDaemonReload",
  "InvocationID",
  "ExecStart",
  "Environment",
  "EnvironmentFiles",
  "User",
  "RootDirectory",
  "ExecStartPre",
  "ExecReload",
  "Slice",
  "MemoryMax",
  "MemoryHigh",
  "IOReadBandwidthMax",
  "IOWriteBandwidthMax",
  "CPUQuotaPerSecUSec",
  "TasksMax",
  "TasksCurrent",
  "WantedBy",
  "RequiredBy",
  "ConflictedBy",
  "After",
  "Before",
];
const LIMITS = [
  "LoadState",
  "ActiveState",
  "MemoryMax",
  "MemoryHigh",
  "IOReadBandwidthMax",
  "IOWriteBandwidthMax",
  "CPUQuotaPerSecUSec",
  "TasksMax",
  "TasksCurrent",
  "IPAddressDeny",
  "IPAddressAllow",
];
/** Every service is below these two, unless its unit says otherwise. */
const SLICES = ["system.slice", "-.slice"];
const DEPENDENCIES = /^(?:Requires|Requisite|BindsTo|Conflicts)$/;
const CONDITION = /^(?:Condition|Assert)\w+$/;
/** Each is asked for by itself: a host that shows more is not asked for them. */
const MOST_DROP_INS = 200;
const ADMINISTRATOR = "/etc/systemd/system";
/** Units as systemd has them, with the lines that say how they start. Two round trips. Throws NotRead. */
export async function lookAtUnits<Name extends string>(
  reader: Reader,
  names: readonly Name[],
): Promise<ReadonlyMap<Name, UnitFact>> {
  const facts = await Promise.all(names.map(async (name) => [name, await lookAtUnit(reader, name)] as const));
  return new Map(facts);
}

/** What `lookAtUnit` asks systemd, for what follows from it: asked once. */
export async function propertiesOf(reader: Reader, name: string): Promise<Answer<UnitProperties>> {
  return reader.unit(name, PROPERTIES);
}

/**
 * Asks what `lookAtUnit` begins with, before it is known whether the unit matters. Whether it is enabled is not asked: of
 * a unit that is not there that costs a program for each of the others.
 */
export function askAhead(reader: Reader, name: string) {
  const own = `${ADMINISTRATOR}/${name}`;
  return Promise.all([
    propertiesOf(reader, name),
    reader.stat(own),
    Promise.all(
      dropInDirectories(name).map(async (directory) => ({
        directory,
        entries: await reader.list(directory, "^[^.].*\\.conf$"),
      })),
    ),
    reader.groupsOf(5, "boot"),
    reader.groupsOf(3, "manager"),
    reader.groupsOf(4, "boot.lines", ENDING_LINES, ENDING_WORDS),
    Promise.all(SLICES.map(async (slice) => ({ slice, limits: await reader.unit(slice, LIMITS) }))),
    askGiven(reader, name),
  ]);
}

/** Where an administrator has drop-ins of it: its own, those of all whose names begin alike, those of its type. */
function dropInDirectories(name: string): readonly string[] {
  const [, stem = "", type = ""] = /^(.*)\.(\w+)$/.exec(name) ?? [];
  const parts = stem.split("-").slice(0, -1);
  const prefixes = parts.map((_, index) => `${parts.slice(0, index + 1).join("-")}-.${type}`);
  return [name, ...prefixes.toReversed(), type].map((each) => `${ADMINISTRATOR}/${each}.d`);
}

/** As `lookAtUnits`, of one. What several steps ask of one unit in a look is asked once. */
export async function lookAtUnit(reader: Reader, name: string): Promise<UnitFact> {
  const [unit, enabled] = await Promise.all([lookAtStart(reader, name), reader.enabled(name)]);
  return unitFact(name, { ...unit, enabled: read(enabled, `whether ${name} is enabled`) });
}

/** All of a unit but whether it is enabled. */
async function lookAtStart(reader: Reader, name: string): Promise<Omit<UnitWords, "enabled">> {
  const own = `${ADMINISTRATOR}/${name}`;
  const [properties, ownFile, directories, boot, manager, endings, slices, given] = await askAhead(
    reader,
    name,
  );
  const known = readThere(properties, name);
  const text = (property: string) => known.get(property)?.at(-1) ?? "";
  const fragment = text("FragmentPath");
  const pid = Number(text("MainPID") || 0);
  const shown = text("DropInPaths").split(" ").filter(Boolean);
  const listed = directories.flatMap(({ directory, entries }) =>
    (read(entries, directory) ?? []).map(({ name: file }) => `${directory}/${file}`),
  );
  const paths = [...new Set([...shown, ...listed])];
  if (paths.length > MOST_DROP_INS)
    throw new NotUnderstood(`${name} has ${paths.length} drop-ins, more than ${MOST_DROP_INS}`);
  const isAdministrators = fragment !== "" && !isPackaged(fragment);
  const twins = isAdministrators ? PACKAGED.map((directory) => `${directory}/${name}`) : [];
  const commands = ["ExecStart", "ExecStartPre"].flatMap((property) => known.get(property) ?? []);
  const mayCrash = Number(text("NRestarts") || 0) > 0;
  const words = (property: string) => (known.get(property) ?? []).join(" ").split(" ").filter(Boolean);
  const isBooted = (unit: string) => boot.is === "value" && boot.value.some(([other]) => other === unit);
  const [
    process,
    files,
    ownFragment,
    packaged,
    programs,
    restarts,
    otherSlices,
    before,
    asStarted,
    triggers,
  ] = await Promise.all([
    pid === 0 ? undefined : reader.process(pid, ["program", "started"]),
    Promise.all(paths.map((path) => dropIn(reader, path))),
    isAdministrators ? dropIn(reader, fragment) : undefined,
    Promise.all(twins.map((path) => dropIn(reader, path))),
    programsOf(reader, commands),
    mayCrash ? reader.groupsOf(1, "restarts", name) : undefined,
    Promise.all(
      slicesAbove(text("Slice"))
        .filter((slice) => !SLICES.includes(slice))
        .map(async (slice) => ({ slice, limits: await reader.unit(slice, LIMITS) })),
    ),
    Promise.all(
      words("After")
        .filter((unit) => unit.endsWith(".service") && isBooted(unit))
        .map(
          async (unit) =>
            [
              unit,
              await reader.unit(unit, ["ActiveState", "FragmentPath", "InvocationID", "After"]),
            ] as const,
        ),
    ),
    pid === 0 ? undefined : lookAsStarted(reader, name, given),
    // Most hosts have no such line, and are asked nothing.
    lookAtTriggers(reader, endings.is === "value" ? restartersOf(bootLines(endings.value), name) : []),
  ]);
  // A host's shutdown is before nothing.
  const isOrdered = (unit: string) => isBooted(unit) && unit.endsWith(".service");
  // systemd shows where a directory that is a link leads to.
  const loaded = new Set(files.filter(({ path }) => shown.includes(path)).map(({ realPath }) => realPath));
  const unread = files.filter(
    ({ path, realPath, isEmpty }) =>
      !shown.includes(path) && !isEmpty && !loaded.has(realPath) && !isMasked(path),
  );
  // One that is found first, in a directory that counts for more, hides its namesakes.
  function isMasked(path: string): boolean {
    const base = path.slice(path.lastIndexOf("/"));
    return paths.some((other) => other !== path && other.endsWith(base) && shown.includes(other));
  }
  // Of a directory or a namesake that is new NeedDaemonReload says nothing.
  const isLoaded = text("LoadState") === "loaded";
  const hasNamesake =
    read(ownFile, own) !== undefined &&
    fragment !== own &&
    !/^\/(?:etc\/systemd\/system\.control|run\/systemd\/transient)\//.test(fragment);
  const counting = files.filter((file) => shown.includes(file.path) || (isLoaded && unread.includes(file)));
  const running = process === undefined ? undefined : read(process, `the process of ${name}`);
  const startedAt = Number(running?.parts[1] ?? Number.NaN);
  const usual = new Set(packaged.flatMap(({ lines }) => lines.map(textOfLine)));
  const foreign = [
    ...(ownFragment === undefined ? [] : [ownFragment]),
    // A package's drop-in for this unit is another package's than the unit, and as good as anybody's.
    ...counting.filter(({ path }) => !isPackaged(path) || path.includes(`/${name}.d/`)),
  ].flatMap(({ path, changed, lines }) =>
    lines
      .filter((line) => !usual.has(textOfLine(line)))
      .map((line) => ({ path, ...line, isStarted: changed <= startedAt })),
  );
  const next: NextStart = {
    lines: await judgeable(reader, foreign),
    programs,
    runs: running === undefined || running.parts[0] === "" ? undefined : { pid, program: running.parts[0]! },
    asStarted,
    triggers,
    limits: [
      { name, answer: properties },
      ...slicesAbove(text("Slice")).flatMap((slice) => {
        const found = [...slices, ...otherSlices].find((each) => each.slice === slice);
        return found === undefined ? [] : [{ name: slice, answer: found.limits }];
      }),
    ].map(({ name: unit, answer }) => limitOf(unit, answer)),
    startsBefore: known.get("ExecStartPre") ?? [],
    reloads: known.get("ExecReload") ?? [],
    wantedBy: [...words("WantedBy"), ...words("RequiredBy")],
    conflictedBy: words("ConflictedBy"),
    circle: [
      ...words("Before").filter((unit) => words("After").includes(unit)),
      ...before.flatMap(([unit, answer]) => {
        const after = answer.is === "value" ? (answer.value.get("After") ?? []).join(" ").split(" ") : [];
        const next = after.find((other) => words("Before").includes(other) && isOrdered(other));
        return next === undefined ? [] : [`${next}, which is started before ${unit},`];
      }),
    ],
    neverRun: before.flatMap(([unit, answer]) => (hasNeverRun(answer) ? [unit] : [])),
    boot: mapAnswer(boot, bootPlan),
    manager: mapAnswer(manager, (rows) =>
      rows.map(([place, key, value]) => ({ place: place!, key: key!, value: value! })),
    ),
    endings: mapAnswer(endings, bootLines),
    restarts: restarts && mapAnswer(restarts, (rows) => rows.map(([seconds]) => Number(seconds))),
  };
  return {
    values: (property) => known.get(property) ?? [],
    ageSeconds: running?.ageSeconds,
    startedAt: Number.isNaN(startedAt) ? undefined : startedAt,
    hasUnread: isLoaded && (hasNamesake || unread.length > 0),
    startLines: counting.flatMap(({ path, lines }) =>
      lines.filter(({ key }) => START_KEYS.includes(key)).map(({ line, key }) => ({ path, line, key })),
    ),
    next,
  };
}

/** Whether an administrator's unit has not come up since the boot. What is only skipped, as packages' often are, is not meant. */
function hasNeverRun(answer: Answer<UnitProperties>): boolean {
  if (answer.is !== "value") return false;
  const text = (property: string) => answer.value.get(property)?.at(-1) ?? "";
  if (!/^\/(?:etc|usr\/local)\//.test(text("FragmentPath"))) return false;
  return (
    text("ActiveState") === "activating" ||
    (text("ActiveState") === "inactive" && text("InvocationID") === "")
  );
}

const PACKAGED = ["/usr/lib/systemd/system", "/lib/systemd/system"];

function isPackaged(path: string): boolean {
  return PACKAGED.some((directory) => path.startsWith(`${directory}/`));
}

function textOfLine({ section, key, value }: UnitLineRead): string {
  return `${section}\0${key}\0${value}`;
}

/** A unit's slice and those above it: "a-b.slice" is below "a.slice", and all are below "-.slice". */
function slicesAbove(slice: string): readonly string[] {
  if (!/^[^-].*\.slice$/.test(slice)) return slice === "" ? [] : ["-.slice"];
  const parts = slice.replace(/\.slice$/, "").split("-");
  return [...parts.map((_, index) => `${parts.slice(0, parts.length - index).join("-")}.slice`), "-.slice"];
}

function limitOf(name: string, answer: Answer<UnitProperties>): LimitFact {
  const known = readThere(answer, name);
  const number = (property: string) => {
    const value = known.get(property)?.at(-1) ?? "";
    return /^\d+$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
  };
  const words = (property: string) => (known.get(property) ?? []).join(" ").split(" ").filter(Boolean);
  const tasks = number("TasksCurrent");
  const quota = known.get("CPUQuotaPerSecUSec")?.at(-1) ?? "";
  return {
    name,
    memoryMax: number("MemoryMax"),
    memoryHigh: number("MemoryHigh"),
    processors: (/^\d/.test(quota) ? secondsOf(quota) : undefined) ?? Number.POSITIVE_INFINITY,
    diskBytes: Math.min(
      ...["IOReadBandwidthMax", "IOWriteBandwidthMax"]
        .flatMap((property) => known.get(property) ?? [])
        .map((text) => Number(/ (\d+)$/.exec(text)?.[1] ?? Number.POSITIVE_INFINITY)),
    ),
    tasksMax: number("TasksMax"),
    // What is not counted is told as the largest number there is.
    tasks: tasks < 2 ** 40 ? tasks : 0,
    denied: words("IPAddressDeny"),
    allowed: words("IPAddressAllow"),
  };
}

/** What would be executed; of what may fail nothing. */
async function programsOf(reader: Reader, commands: readonly string[]): Promise<readonly ProgramFact[]> {
  const paths = commands.flatMap((command) => {
    const [, path] = /^\{ path=(\/\S*) ; .* ; ignore_errors=no ;/s.exec(command) ?? [];
    return path === undefined ? [] : [path];
  });
  return Promise.all([...new Set(paths)].map(async (path) => ({ path, found: await reader.program(path) })));
}

/** Conditions are evaluated by systemd itself, and units that are asked for are looked up: both only where there are such lines. */
async function judgeable(
  reader: Reader,
  lines: readonly Omit<UnitLine, "holds">[],
): Promise<readonly UnitLine[]> {
  return Promise.all(
    lines.map(async (line): Promise<UnitLine> => {
      if (line.value === "") return line;
      if (CONDITION.test(line.key)) {
        const answer = await reader.groupsOf(2, "conditions", `${line.key}=${line.value}`);
        return { ...line, holds: mapAnswer(answer, (rows) => rows[0]?.[1] === "yes") };
      }
      if (!DEPENDENCIES.test(line.key)) return line;
      const names = line.value.split(/\s+/).filter((each) => !each.includes("%"));
      const states = await Promise.all(
        names.map(async (unit) => {
          const known = readThere(await reader.unit(unit, LIMITS), unit);
          return {
            unit,
            load: known.get("LoadState")?.[0] ?? "",
            active: known.get("ActiveState")?.[0] ?? "",
          };
        }),
      );
      return { ...line, units: states };
    }),
  );
}

type UnitLineRead = Pick<UnitLine, "line" | "section" | "key" | "value">;

interface DropIn {
  readonly path: string;
  readonly realPath: string;
  readonly isEmpty: boolean;
  /** Seconds since 1970. */
  readonly changed: number;
  readonly lines: readonly UnitLineRead[];
}

/** One that is gone, or is no file, says nothing. */
async function dropIn(reader: Reader, path: string): Promise<DropIn> {
  const file = read(await reader.settings(path), path);
  if (file?.kind !== "regular")
    return { path, realPath: file?.realPath ?? path, isEmpty: true, changed: 0, lines: [] };
  return {
    path,
    realPath: file.realPath,
    isEmpty: file.size === 0,
    changed: file.changed,
    lines: file.settings,
  };
}
