import { dirname } from "node:path/posix";
import type { WantedFile } from "../../contract/change.ts";
import { lookAtSurroundings, type Needs } from "../../daemon/look-at-surroundings.ts";
import { lookAtUnit, propertiesOf } from "../../daemon/look-at-units.ts";
import { RECORDS } from "../../daemon/place.ts";
import type { UnitState } from "../../daemon/switched-off.ts";
import { loadedStart } from "../../daemon/unit-start.ts";
import type { FileFact } from "../../evidence/file.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import { socketsOf } from "../../evidence/sockets.ts";
import { directiveOf, parseHaproxyConfig, serverHostNames } from "../../haproxy/config.ts";
import { lookAtConfig } from "../../haproxy/config-file.ts";
import { INSTALLER_PATH_UNIT, WATCHER_UNIT } from "../../haproxy/former-watcher.ts";
import { loadedOrRead, readLoadedRecord } from "../../haproxy/loaded.ts";
import {
  askMaster,
  lookAtProcesses,
  lookAtWorker,
  type Worker,
  type WorkerInfo,
} from "../../haproxy/look.ts";
import type { Processes } from "../../haproxy/processes.ts";
import { lookAtServed } from "../../haproxy/served.ts";
import { ADMIN_SOCKET, boundAddresses, CHROOT, PROCESS_USER } from "../../haproxy/settings.ts";
import { isSameIp } from "../../ip.ts";
import { type Answer, mapAnswer, read, readThere } from "../../reader/answer.ts";
import type { Reader, UnitProperties } from "../../reader/reader.ts";
import { revealContent } from "../../secret.ts";
import { quotable } from "../../terminal-text.ts";
import type { HaproxyDesired } from "./desired.ts";
import { type HaproxyFacts, type HaproxyProcess, isActive, isRunning } from "./facts.ts";
import { haproxyFiles } from "./files.ts";
import { CONFIG, DROP_IN, LOAD_RECORDER, MASTER_SOCKET, UNIT } from "./paths.ts";

const PROGRAM = "/usr/sbin/haproxy";
const JOURNAL_LINES = "80";
/** Nothing else of them: such files hold passwords too. */
const VARIABLES = "^\\s*(?:CONFIG|PIDFILE|EXTRAOPTS|OPTIONS)=";
const ABSENT = { is: "absent" } as const;

/**
 * HAProxy's files and unit, and what the running worker and its master say of themselves. Two round trips, and one more
 * where the worker has lost its socket. Throws NotRead.
 */
export async function lookAtHaproxy(reader: Reader, desired: HaproxyDesired): Promise<HaproxyFacts> {
  const properties = propertiesOf(reader, UNIT).then((answer) => readThere(answer, UNIT));
  const isInstalled = reader.stat(PROGRAM).then((answer) => {
    const file = read(answer, PROGRAM);
    return file?.kind === "regular" && /[1357]/.test(file.mode.slice(1));
  });
  const files = filesOf(reader, desired);
  const [
    isThere,
    owned,
    unit,
    watcherUnits,
    candidate,
    limitNofile,
    environment,
    strangers,
    serving,
    stopped,
    surroundings,
    ruleset,
    iptables,
  ] = await Promise.all([
    isInstalled,
    files,
    lookAtUnit(reader, UNIT),
    watcherUnitsOf(reader),
    isInstalled.then((is) => (is ? undefined : candidateOf(reader))),
    reader.unit(UNIT, ["LimitNOFILE"]),
    environmentOf(reader, properties),
    strangersOf(reader, desired),
    servingFacts(reader, desired, properties, files),
    isInstalled.then((is) => (is ? stoppedFacts(reader, properties) : undefined)),
    lookAtSurroundings(reader, UNIT, NEEDS, true),
    reader.answerTo("nft.ruleset"),
    reader.answerTo("iptables.rules"),
  ]);
  const common = { ...owned, unit, watcherUnits };
  if (!isThere) return { ...common, ...NOTHING, candidate };
  const installed = {
    ...common,
    candidate: undefined,
    limitNofile: mapAnswer(limitNofile, (found) => found.get("LimitNOFILE")?.[0] ?? ""),
    ...environment,
    strangers,
    ruleset,
    iptables,
    surroundings,
  };
  return isActive({ unit })
    ? { ...NOTHING, ...installed, ...serving }
    : { ...NOTHING, ...installed, ...stopped };
}

/** What the master does with which path when it starts; the worker is shut into the last of them. */
const NEEDS: Needs = {
  access: [
    { path: PROGRAM, to: "execute" },
    { path: CONFIG, to: "read" },
    // By the watcher, as backends come and go.
    ...[dirname(CONFIG), CONFIG].map((path) => ({ path, to: "replace" }) as const),
    { path: LOAD_RECORDER, to: "execute" },
    { path: CHROOT, to: "enter", mustBeThere: true },
    { path: dirname(ADMIN_SOCKET), to: "write" },
  ],
  places: [
    { path: dirname(CONFIG), isData: true },
    { path: dirname(LOAD_RECORDER), isData: true },
    { path: CHROOT, isData: false },
    { path: RECORDS, isData: true },
  ],
  made: [dirname(ADMIN_SOCKET)],
  packages: "haproxy",
  becomes: [PROCESS_USER],
};

/** What is told of a HAProxy that is not there. */
const NOTHING = {
  loaded: ABSENT,
  candidate: undefined,
  limitNofile: undefined,
  configCheck: undefined,
  environmentLines: [],
  unreadEnvironment: undefined,
  socket: { is: "silent", because: "it was not asked" },
  table: { is: "value", value: { servers: [], frontEnds: [] } },
  served: ABSENT,
  names: { is: "value", value: new Map() },
  leadTo: new Map(),
  info: new Map<string, string>(),
  infoFrom: "",
  processes: ABSENT,
  strangers: { is: "value", value: [] },
  master: ABSENT,
  worker: ABSENT,
  journal: [],
  ruleset: ABSENT,
  iptables: ABSENT,
} as const satisfies Omit<
  HaproxyFacts,
  "config" | "dropIn" | "loadRecorder" | "unit" | "watcherUnits" | "surroundings"
>;

async function filesOf(reader: Reader, desired: HaproxyDesired) {
  const wanted = haproxyFiles(desired);
  const textOf = ({ content }: WantedFile) => revealContent(content);
  const [config, dropIn, loadRecorder] = await Promise.all([
    // Of the watcher's nobody knows every byte.
    lookAtConfig(reader, desired.watched ? undefined : textOf(wanted.config)),
    readFileFact(reader, DROP_IN, { wanted: textOf(wanted.dropIn) }),
    readFileFact(reader, LOAD_RECORDER, { wanted: textOf(wanted.loadRecorder) }),
  ]);
  return { config, dropIn, loadRecorder };
}

/** No more than what says whether it is on: a watcher that is started again and again is no other HAProxy. */
async function watcherUnitsOf(reader: Reader): Promise<ReadonlyMap<string, UnitState>> {
  const units = await Promise.all(
    [WATCHER_UNIT, INSTALLER_PATH_UNIT].map(async (name) => {
      const [answer, enabled] = await Promise.all([
        reader.unit(name, ["LoadState", "ActiveState"]),
        reader.enabled(name),
      ]);
      const properties = readThere(answer, name);
      const state = {
        load: properties.get("LoadState")?.[0] ?? "",
        active: properties.get("ActiveState")?.[0] ?? "",
        enabled: readThere(enabled, `whether ${name} is enabled`),
      };
      return [name, state] as const;
    }),
  );
  return new Map(units);
}

async function candidateOf(reader: Reader): Promise<Answer<string>> {
  const answer = await reader.answerTo("candidate", "haproxy");
  return mapAnswer(answer, (line) => line.replace(/^ *Candidate: */, ""));
}

/** Lines of the unit's files of variables that its command line may use. */
async function environmentOf(
  reader: Reader,
  properties: Promise<UnitProperties>,
): Promise<Pick<HaproxyFacts, "environmentLines" | "unreadEnvironment">> {
  const known = await properties;
  const paths = loadedStart((property) => known.get(property) ?? []).environmentFiles;
  const files = await Promise.all(
    paths.map(async (path) => ({ path, file: await reader.lines(path, VARIABLES) })),
  );
  const unread = files.flatMap(({ path, file }) => {
    if (file.is === "unreadable") return [{ path, because: file.because }];
    const isRead =
      file.is === "absent" || file.value.kind === "regular" || file.value.realPath === "/dev/null";
    return isRead ? [] : [{ path, because: `it is a ${file.value.kind}` }];
  });
  return {
    environmentLines: files.flatMap(({ path, file }) =>
      file.is === "value"
        ? file.value.lines.map(({ number, text }) => ({ path, line: number, text: text.trim() }))
        : [],
    ),
    unreadEnvironment: unread[0],
  };
}

/**
 * Who listens on a front end's port and is not of the service, whatever its name, and HAProxys of somebody else with each
 * port they listen on. Several may share one port, and then each of them gets some of the requests.
 */
async function strangersOf(reader: Reader, { settings }: HaproxyDesired): Promise<HaproxyFacts["strangers"]> {
  const [listening, haproxys] = await Promise.all([
    reader.answerTo("sockets.listening"),
    reader.processes("haproxy", ["cgroup"]),
  ]);
  if (haproxys.is !== "value") return haproxys;
  if (listening.is !== "value") return listening;
  const sockets = socketsOf(listening.value);
  const ports = new Set(boundAddresses(settings).map(({ port }) => port));
  const known = new Map(
    haproxys.value.map(({ pid, parts: [cgroup = ""] }) => [pid, isOfUnit(cgroup)] as const),
  );
  const unknown = new Set(
    sockets.flatMap(({ port, pids }) => (ports.has(port) ? pids.filter((pid) => !known.has(pid)) : [])),
  );
  const others = await Promise.all(
    [...unknown].map(async (pid) => [pid, await reader.process(pid, ["cgroup"])] as const),
  );
  for (const [pid, process] of others) {
    if (process.is === "unreadable") return process;
    // One that ended meanwhile listens no more.
    known.set(pid, process.is === "absent" || isOfUnit(process.value.parts[0] ?? ""));
  }
  const strangers = sockets.flatMap(({ local, port, pids, users }) => {
    const address = local.slice(0, local.lastIndexOf(":"));
    return [...new Set(pids)]
      .filter((pid) => known.get(pid) === false)
      .map((pid) => ({ address, port, process: users.get(pid) ?? "", pid }));
  });
  return { is: "value", value: strangers };
}

/** Also of one that ended while it was read. */
function isOfUnit(cgroup: string): boolean {
  return cgroup === "" || cgroup.includes(`/${UNIT}`);
}

type Serving = Pick<
  HaproxyFacts,
  | "loaded"
  | "socket"
  | "table"
  | "served"
  | "names"
  | "leadTo"
  | "info"
  | "infoFrom"
  | "processes"
  | "master"
  | "worker"
  | "journal"
>;

/** What the processes say of themselves. */
async function servingFacts(
  reader: Reader,
  { settings, parameters }: HaproxyDesired,
  properties: Promise<UnitProperties>,
  files: Promise<Pick<HaproxyFacts, "config">>,
): Promise<Serving> {
  const worker = lookAtWorker(reader);
  const processes = lookAtProcesses(reader);
  const told = Promise.all([worker, processes]).then((all) => infoOf(reader, ...all));
  const [
    known,
    record,
    { socket, table },
    { info, infoFrom },
    proc,
    master,
    serving,
    journal,
    served,
    resolved,
  ] = await Promise.all([
    properties,
    readLoadedRecord(reader),
    worker,
    told,
    processes,
    properties.then((all) => processOf(reader, Number(all.get("MainPID")?.[0]))),
    told.then(({ info }) => processOf(reader, Number(info.get("pid")))),
    Promise.all([properties, files, processes, told]).then((all) => journalOf(reader, ...all)),
    properties.then((all) =>
      isRunning(all.get("ActiveState")?.[0] ?? "")
        ? lookAtServed(reader, settings.services, parameters.timeout_server)
        : ABSENT,
    ),
    files.then(({ config }) => namesOf(reader, config)),
  ]);
  return {
    loaded: await loadedOrRead(reader, record, known.get("InvocationID")?.[0], {
      config: (await files).config,
      worker: Number(info.get("pid")) || undefined,
    }),
    socket,
    table,
    served,
    ...resolved,
    info,
    infoFrom,
    processes: proc,
    master,
    worker: serving,
    journal,
  };
}

/** HAProxy 2.2 loses the admin socket in a failed reload while the old worker serves on: its master is asked then. */
async function infoOf(
  reader: Reader,
  { info }: Worker,
  processes: Answer<Processes>,
): Promise<Pick<HaproxyFacts, "info" | "infoFrom">> {
  if (info.is === "value") return { info: info.value, infoFrom: ADMIN_SOCKET };
  const [pid] = processes.is === "value" ? [...processes.value.workers, ...processes.value.oldWorkers] : [];
  const answer = pid === undefined ? ABSENT : await askMaster(reader, pid);
  return answer.is === "value"
    ? { info: answer.value, infoFrom: MASTER_SOCKET }
    : { info: new Map(), infoFrom: "" };
}

/** More names than a question bears are not looked up. */
const MOST_NAMES = 200;

const HOSTS = "/etc/hosts";

/** Where names of servers lead, and which of them HAProxy would not find at its next start, which it then refuses. */
async function namesOf(
  reader: Reader,
  { content }: FileFact,
): Promise<Pick<HaproxyFacts, "names" | "leadTo">> {
  const names =
    content === undefined ? [] : serverHostNames(parseHaproxyConfig(content)).slice(0, MOST_NAMES);
  if (names.length === 0) return { names: { is: "value", value: new Map() }, leadTo: new Map() };
  const [answer, hosts] = await Promise.all([
    reader.groupsOf(2, "resolution", ...names),
    reader.lines(
      HOSTS,
      `^[^#]*\\s(?:${names.map((name) => name.replaceAll(".", "\\.")).join("|")})(?:\\s|$)`,
    ),
  ]);
  const lines = hosts.is === "value" ? hosts.value.lines : [];
  const found = answer.is === "value" ? answer.value : [];
  return {
    names: mapAnswer(
      answer,
      (rows) => new Map(rows.map(([name, why]) => [name!, why!.startsWith("=") ? "" : quotable(why!)])),
    ),
    leadTo: new Map(
      found.flatMap(([name = "", said = ""]) => {
        if (!said.startsWith("= ")) return [];
        const addresses = said.slice(2).split(" ");
        const named = lines.flatMap(({ number, text }) => {
          const [address = "", ...all] = text.split(/[#\n]/)[0]!.trim().split(/\s+/);
          return all.includes(name) ? [{ number, address }] : [];
        });
        const line = named.find(({ address }) => isSameIp(address, addresses[0]!)) ?? named[0];
        return [[name, { addresses, hosts: line === undefined ? "" : `${HOSTS}:${line.number}` }]];
      }),
    ),
  };
}

async function processOf(reader: Reader, pid: number): Promise<Answer<HaproxyProcess>> {
  if (!(pid > 0)) return ABSENT;
  const answer = await reader.process(pid, ["cmdline", "limits"]);
  if (answer.is === "absent") return { is: "unreadable", because: "it ended meanwhile" };
  if (answer.is === "unreadable") return answer;
  const [command = "", limits = ""] = answer.value.parts;
  const hard = /^Max open files +\S+ +(\S+)/m.exec(limits)?.[1];
  if (hard === undefined || command === "") return { is: "unreadable", because: "it ended meanwhile" };
  return {
    is: "value",
    value: {
      pid,
      command: command.split("\0").filter((word) => word !== ""),
      hardOpenFiles: hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard),
    },
  };
}

/** What HAProxy said is of interest only when the worker is not the one that the file describes. */
async function journalOf(
  reader: Reader,
  known: UnitProperties,
  { config }: Pick<HaproxyFacts, "config">,
  processes: Answer<Processes>,
  { info }: Pick<HaproxyFacts, "info">,
): Promise<readonly string[]> {
  const hasFailed =
    known.get("StatusText")?.[0]?.includes("Reload failed") === true ||
    (processes.is === "value" && (processes.value.lastReloadFailed || processes.value.oldWorkers.length > 0));
  const invocation = known.get("InvocationID")?.[0] ?? "";
  if (invocation === "" || (!hasFailed && !runsAnother(config.content, info))) return [];
  return linesOf(await reader.answerTo("journal.invocation", invocation, JOURNAL_LINES));
}

/** Whether the worker is known to have another configuration than the file describes. */
function runsAnother(text: string | undefined, info: WorkerInfo): boolean {
  if (text === undefined || info.size === 0) return false;
  const described = directiveOf(parseHaproxyConfig(text), "global", "", "description")?.value;
  return info.get("description") !== described;
}

/** Whether HAProxy would start, and what it said before it stopped. */
async function stoppedFacts(
  reader: Reader,
  properties: Promise<UnitProperties>,
): Promise<Partial<Pick<HaproxyFacts, "configCheck" | "journal">>> {
  const state = (await properties).get("ActiveState")?.[0] ?? "";
  if (isRunning(state)) return {};
  const [check, journal] = await Promise.all([
    reader.answerTo("haproxy.check"),
    // What it said before somebody stopped it is no reason.
    state === "inactive" ? undefined : reader.answerTo("journal.output", UNIT, JOURNAL_LINES),
  ]);
  return {
    configCheck: mapAnswer(check, Number),
    journal: journal === undefined ? [] : linesOf(journal),
  };
}

/** What it said explains, and decides nothing. */
function linesOf(journal: Answer<string>): readonly string[] {
  return journal.is === "value" ? journal.value.split("\n").filter((line) => line !== "") : [];
}
