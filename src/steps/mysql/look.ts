import { resolve } from "node:path/posix";
import { askSurroundings, lookAtSurroundings } from "../../daemon/look-at-surroundings.ts";
import { askAhead, lookAtUnit } from "../../daemon/look-at-units.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import { read, readThere } from "../../reader/answer.ts";
import type { Reader, UnitProperties } from "../../reader/reader.ts";
import { quotable } from "../../terminal-text.ts";
import type { InstalledFacts, MysqlFacts, ParserFacts } from "./facts.ts";
import { needsOf } from "./needs.ts";
import { persistedOptions } from "./option-files.ts";
import type { MysqlDesired } from "./parameters.ts";
import { parserFacts } from "./parser-words.ts";
import { readOptionFiles } from "./read-options.ts";
import { MARIADB, MYSQL, type Server } from "./server.ts";

const SERVERS = [
  { server: MARIADB, program: "/usr/sbin/mariadbd", socket: "/run/mysqld/mysqld.sock" },
  { server: MYSQL, program: "/usr/sbin/mysqld", socket: "/var/run/mysqld/mysqld.sock" },
] as const;
const DATA_DIRECTORY = "/var/lib/mysql";

/** What of a unit's says how its server is started. */
const START = [
  "ActiveState",
  "MainPID",
  "User",
  "ProtectSystem",
  "ExecStart",
  "Environment",
  "EnvironmentFiles",
  "Job",
];
/** Lines of an init file that name settings of InnoDB; none with a password. */
const SETS =
  "^(?!\\s*(?:--|#))(?!.*(?:[Ii][Dd][Ee][Nn][Tt][Ii][Ff]|[Pp][Aa][Ss][Ss])).*[Ii][Nn][Nn][Oo][Dd][Bb]_";
/** Lines of an environment file that may give the server options. */
const OPTIONS = "^\\s*(?=[^\\s#;]).*(?:innodb|defaults|init[-_]file|_HOME=|_GROUP_SUFFIX=)";

/** The server that is installed, and how its unit starts it. */
interface Installed {
  readonly server: Server;
  readonly program: string;
  /** Where Debian's has its socket. */
  readonly socket: string;
  readonly start: UnitProperties;
  readonly user: string;
  readonly isProtected: boolean;
  readonly mainPid: number;
}

/**
 * Which server is installed, every line of its option files that matters, what the server itself makes of them, and what
 * the one that runs answers. Throws NotRead.
 */
export async function lookAtDatabase(
  reader: Reader,
  { named = [] }: Pick<MysqlDesired, "named"> = {},
): Promise<MysqlFacts> {
  const [dropIns, installed, leadTo] = await Promise.all([
    Promise.all(SERVERS.map(({ server }) => readFileFact(reader, server.dropIn))),
    lookAtInstalled(reader),
    lookUp(reader, [...new Set(named.map(({ host }) => host))].slice(0, MOST_NAMES)),
  ]);
  return { dropIns: new Map(dropIns.map((fact) => [fact.path, fact])), installed, leadTo };
}

/** How many names are looked up: each may take a while. */
const MOST_NAMES = 20;

async function lookUp(reader: Reader, names: readonly string[]): Promise<MysqlFacts["leadTo"]> {
  const answer = names.length === 0 ? undefined : await reader.groupsOf(2, "resolution", ...names);
  const found = answer?.is === "value" ? answer.value : [];
  return new Map(
    found.flatMap(([name = "", said = ""]) =>
      said.startsWith("= ") ? [[name, said.slice(2).split(" ")] as const] : [],
    ),
  );
}

async function lookAtInstalled(reader: Reader): Promise<InstalledFacts | undefined> {
  // What any server needs is asked for before it is known which one it is.
  const found = findServer(reader);
  const behind = <T>(look: (installed: Installed) => Promise<T>) =>
    found.then((installed) => installed && look(installed));
  const parsed = behind((installed) => lookAtParser(reader, installed));
  const home = found.then(async (installed) => {
    const user = installed && (await reader.user(installed.user));
    return user?.is === "value" && user.value.uid !== 0 ? user.value.home : undefined;
  });
  const [
    installed,
    files,
    usualPersisted,
    unit,
    given,
    user,
    process,
    parser,
    answered,
    errors,
    surroundings,
  ] = await Promise.all([
    found,
    readOptionFiles(reader, home),
    reader.text(persistedFile(DATA_DIRECTORY)),
    behind(({ server }) => lookAtUnit(reader, server.unit)),
    behind((installed) => environmentOf(reader, installed)),
    behind((installed) => reader.user(installed.user)),
    behind((installed) => processOf(reader, installed)),
    parsed,
    behind((installed) => lookAtRunning(reader, installed)),
    behind((installed) => errorsOf(reader, installed)),
    behind((installed) => surroundingsOf(reader, installed, parsed)),
    ...SERVERS.map(({ server }) => askAhead(reader, server.unit)),
    // Asked for before it is known as whom the server runs.
    reader.user("mysql"),
    ...SERVERS.map(({ server }) => askSurroundings(reader, server.unit)),
  ]);
  if (installed === undefined) return undefined;
  const { server, start } = installed;
  const directory = dataDirectoryOf(start) ?? parser!.dataDirectory ?? DATA_DIRECTORY;
  const persistedIn = persistedFile(directory);
  const unitOptions = [...valuesOf(start, "ExecStart"), ...valuesOf(start, "Environment"), ...given!.lines]
    .filter(Boolean)
    .join("\n");
  const initPath = initFileOf(unitOptions, parser!, directory);
  const [persisted, init] = await Promise.all([
    persistedIn === persistedFile(DATA_DIRECTORY) ? usualPersisted : reader.text(persistedIn),
    initPath === undefined ? undefined : reader.lines(initPath, SETS),
  ]);
  return {
    server,
    unit: unit!,
    surroundings,
    hasJob: (start.get("Job")?.at(-1) ?? "") !== "",
    unitOptions,
    process,
    options: files.options,
    unread: [
      ...files.unread,
      ...given!.unread,
      ...(persisted.is === "unreadable" ? [{ path: persistedIn, because: persisted.because }] : []),
      ...(initPath && init?.is === "unreadable" ? [{ path: initPath, because: init.because }] : []),
      ...(user!.is === "unreadable" ? [{ path: `id -Gn ${installed.user}`, because: user!.because }] : []),
    ],
    reader: {
      user: installed.user,
      groups: user!.is === "value" ? user!.value.groups : [],
      readOnlyEtc: installed.isProtected,
    },
    // The parser itself shows only those that the server takes as options: the others are set once it has started.
    persisted:
      persisted.is !== "value" || parser!.values.get("persisted_globals_load") === 0
        ? new Map()
        : persistedOptions(persisted.value),
    persistedIn,
    // That it is not there, or may not be read, is told of the next start.
    initFile: initPath && init?.is === "value" ? { path: initPath, lines: init.value.lines } : undefined,
    parser: parser!,
    ...answered!,
    errors: errors!,
  };
}

/** As Debian has it is asked at once; where its parser tells of other places, those are asked behind it. */
async function surroundingsOf(
  reader: Reader,
  { server, program, start }: Installed,
  parsed: Promise<ParserFacts | undefined>,
) {
  const usual = needsOf(program, dataDirectoryOf(start) ?? DATA_DIRECTORY, undefined);
  const [found, parser] = await Promise.all([lookAtSurroundings(reader, server.unit, usual, true), parsed]);
  const needs = needsOf(
    program,
    dataDirectoryOf(start) ?? parser?.dataDirectory ?? DATA_DIRECTORY,
    parser?.paths,
  );
  return JSON.stringify(needs) === JSON.stringify(usual)
    ? found
    : lookAtSurroundings(reader, server.unit, needs, true);
}

/** The file of statements that the server carries out when it has started, as its command line or its option files name it. */
function initFileOf(unitOptions: string, parser: ParserFacts, directory: string): string | undefined {
  const given = [...unitOptions.matchAll(/--init[-_]file=([^ "\n]*)/g)].at(-1)?.[1];
  const path = given ?? parser.paths?.get("init-file") ?? "";
  return path === "" || path.startsWith("(") ? undefined : resolve(directory, path);
}

function persistedFile(dataDirectory: string): string {
  return `${dataDirectory.replace(/\/$/, "")}/mysqld-auto.cnf`;
}

async function findServer(reader: Reader): Promise<Installed | undefined> {
  const found = await Promise.all(
    SERVERS.map(async ({ server, program, socket }) => {
      const [file, start] = await Promise.all([reader.stat(program), reader.unit(server.unit, START)]);
      return { server, program, socket, file, start };
    }),
  );
  for (const { server, program, socket, file, start } of found) {
    const reading = read(file, program);
    if (reading?.kind !== "regular" || !/[1357]/.test(reading.mode.slice(1))) continue;
    const known = readThere(start, server.unit);
    const user = known.get("User")?.at(-1) ?? "mysql";
    return {
      server,
      program,
      socket,
      start: known,
      user: user === "" ? "root" : user,
      isProtected: ["full", "strict"].includes(known.get("ProtectSystem")?.at(-1) ?? ""),
      mainPid: Number(known.get("MainPID")?.at(-1) ?? 0),
    };
  }
  return undefined;
}

function valuesOf(start: UnitProperties, property: string): readonly string[] {
  return start.get(property) ?? [];
}

/** Where its command line or environment says that its data lies. */
function dataDirectoryOf(start: UnitProperties): string | undefined {
  const given = [...valuesOf(start, "ExecStart"), ...valuesOf(start, "Environment")].join("\n");
  return [...given.matchAll(/--datadir=([^ "\n]*)/g)].at(-1)?.[1];
}

/** Lines of its environment files that may give the server options. */
async function environmentOf(reader: Reader, { start }: Installed) {
  const unread: { path: string; because: string }[] = [];
  const files = await Promise.all(
    valuesOf(start, "EnvironmentFiles").map(async (value) => {
      const path = value.replace(/ \(ignore_errors=\w+\)$/, "");
      if (path === "") return [];
      const file = await reader.lines(path, OPTIONS);
      if (file.is === "unreadable") unread.push({ path, because: file.because });
      return file.is === "value" ? file.value.lines.map(({ text }) => text.trim()) : [];
    }),
  );
  return { lines: files.flat(), unread };
}

/** Without it nobody can tell a server that recovers from one that is restarted in vain. */
async function processOf(reader: Reader, { server, mainPid }: Installed): Promise<InstalledFacts["process"]> {
  if (mainPid === 0) return undefined;
  const process = read(await reader.process(mainPid, ["cmdline"]), `the process of ${server.unit}`);
  return (
    process && {
      pid: mainPid,
      seconds: process.ageSeconds,
      commandLine: process.parts[0]!.replaceAll("\0", " "),
    }
  );
}

async function lookAtParser(reader: Reader, { server, user, isProtected }: Installed): Promise<ParserFacts> {
  const [options, validation] = await Promise.all([
    reader.databaseOptions(server.name, user, isProtected),
    server.name === "mysql" ? reader.databaseValidation(user, isProtected) : undefined,
  ]);
  return parserFacts(options, validation);
}

type Running = Pick<InstalledFacts, "live" | "liveError" | "answeredBy" | "isLocked">;

const LOCKED = /^ERROR 1205 /;

/** Whether all was told but for the last, which asks if anybody may write: what fails there says nothing of the rest. */
function hasTold(lines: readonly string[]): boolean {
  return lines.includes("told\t1");
}

/** What the server answers, and who that is. One that is on its way up or down is not asked. */
async function lookAtRunning(reader: Reader, { start, socket: usual, mainPid }: Installed): Promise<Running> {
  const nothing = { live: undefined, liveError: undefined, answeredBy: undefined };
  if (start.get("ActiveState")?.at(-1) !== "active" || mainPid === 0) return nothing;
  const [answer] = await Promise.all([
    reader.databaseQuery("root", mainPid),
    reader.answerTo("sockets.at", usual),
  ]);
  if (answer.is === "unreadable") return { ...nothing, liveError: answer.because };
  if (answer.is === "absent") return { ...nothing, liveError: "no client is installed that could ask it" };
  let { exitCode, lines } = answer.value;
  // Where root has a password it may stand in root's own file; and Debian's MySQL keeps a maintenance account.
  for (const account of ["own", "debian"] as const) {
    if (exitCode === 0 || hasTold(lines)) break;
    const again = await reader.databaseQuery(account, mainPid);
    if (
      again.is === "value" &&
      (again.value.exitCode === 0 || hasTold(again.value.lines) || account === "own")
    )
      ({ exitCode, lines } = again.value);
  }
  if (exitCode !== 0 && !hasTold(lines)) return { ...nothing, liveError: quotable(lines.join("\n")) };
  const found = new Map(lines.map((line) => line.split("\t", 2) as [string, string]));
  const socket = found.get("socket") ?? "";
  const live = new Map(
    [...found].filter(([name]) =>
      /^(?:[Ii]nnodb_.*|version|Uptime|Threads_connected|max_connect_errors|skip_name_resolve|host_cache_size|datadir|(?:super_)?read_only|offline_mode|max_connections|max_user_connections|init_connect|skip_networking|bind_address|port|event .*)$/.test(
        name,
      ),
    ),
  );
  return {
    ...nothing,
    live: live.size === 0 ? undefined : live,
    isLocked: lines.some((line) => LOCKED.test(line)),
    answeredBy: socket === "" ? undefined : await listenerAt(reader, socket, mainPid),
  };
}

async function listenerAt(reader: Reader, socket: string, mainPid: number): Promise<Running["answeredBy"]> {
  const sockets = await reader.answerTo("sockets.at", socket);
  if (sockets.is === "unreadable") return { pid: 0, socket, unread: sockets.because };
  const pids = sockets.is === "value" ? [...sockets.value.matchAll(/pid=(\d+)/g)] : [];
  const pid = Number(pids.at(-1)?.[1] ?? 0);
  if (pid === 0 || pid === mainPid) return { pid, socket };
  // One that has a unit of its own is somebody's.
  const process = await reader.process(pid, ["cgroup"]);
  const unit =
    process.is === "value" ? /\/([^/\n]+\.service)(?:\/|$)/m.exec(process.value.parts[0]!)?.[1] : undefined;
  return { pid, socket, unit };
}

/** They only say more: what cannot be read says nothing. */
async function errorsOf(reader: Reader, { server, user, start }: Installed): Promise<readonly string[]> {
  if (!["failed", "activating"].includes(start.get("ActiveState")?.at(-1) ?? "")) return [];
  const lines = await reader.groupsOf(1, "database.errors", user, server.unit);
  const said = lines.is === "value" ? lines.value.map(([line]) => line!) : [];
  return said.filter((line) => !/Aborting *$/.test(line)).slice(-6);
}
