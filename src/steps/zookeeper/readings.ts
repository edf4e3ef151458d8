import { shellWord } from "../../command-line.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import { deathWarning } from "../../daemon/rows.ts";
import { isUnsteady, showUnsteady } from "../../daemon/unit.ts";
import {
  listenersQuestion,
  packageQuestion,
  unitQuestion,
  zookeeperQuestion,
} from "../../evidence/by-hand.ts";
import type { FileFact } from "../../evidence/file.ts";
import { judge } from "../../evidence/verdict.ts";
import { quotable } from "../../terminal-text.ts";
import { DAEMON_RELOAD, UNREAD } from "./changes.ts";
import { hasMajority } from "./ensemble.ts";
import type { Basis, ZookeeperFacts } from "./facts.ts";
import {
  configurationOf,
  liveConfigurationOf,
  runsItsZooCfg,
  SHOWN,
  serversInUse,
  shownId,
  whyUnanswered,
} from "./member.ts";
import { type Properties, serversOf, showServers } from "./properties.ts";
import {
  LOG_BINDING,
  myidPath,
  PURGE_HOURS,
  STARTED,
  serverOf,
  showHeap,
  UNIT,
  UNIT_FILE,
  WORDS,
  ZOO_CFG,
} from "./render.ts";
import type { ZookeeperFleet } from "./roster.ts";
import { whatChangesIt, whyStopped } from "./stopped.ts";
import { companionsOf, type MemberView } from "./view.ts";

/** A member's evidence. What `conf` tells of the server counts; where it is silent, the zoo.cfg it started with. */
export function readingsOf(view: MemberView, fleet: ZookeeperFleet): readonly Reading[] {
  const closedBy =
    view.closing === undefined || view.closing === "enable" ? undefined : { change: view.closing };
  const rows = [
    packageRow(view),
    unitRow(view),
    atBootRow(view),
    view.nextStart,
    zooCfgRow(view),
    membersRow(view),
    dataDirRow(view),
    ...dataLogDirRows(view),
    myidRow(view),
    timingRow(view),
    autopurgeRow(view),
    wordsRow(view),
    heapRow(view),
    logRow(view),
    listensRow(view),
    doorsRow(view),
    ...view.surroundings,
  ];
  return [
    ...rows.map((row) => ({ closedBy, ...row, because: row.because ?? becauseOf(row) })),
    ...ensembleRows(view, fleet).map(({ isReachable, ...row }) => (isReachable ? { closedBy, ...row } : row)),
  ];
}

/** One reason for a dozen rows. */
function becauseOf(row: Reading): string | undefined {
  if (judge(row).verdict !== "not-in-force") return undefined;
  if (row.inForce === NOT_RUNNING) return `${UNIT} does not run`;
  return row.inForce.is === "absent" && row.inForce.source === STARTED
    ? "nothing tells that the process started with what is on disk"
    : undefined;
}

const NOT_RUNNING: Layer = { is: "absent", source: UNIT };

function packageRow({ host, facts, needs, closing, blocked }: MemberView): Reading {
  const version = host.packages.get("zookeeper");
  const jars = facts.process?.jars ?? [];
  const jar = jars.find((path) => /\/zookeeper[^/]*\.jar/.test(path));
  const replaced = jars.find((path) => path.endsWith(" (deleted)"));
  const inForce = (): Layer => {
    if (facts.process === undefined) return { is: "inapplicable" };
    const files = openFiles(facts.process.pid);
    const unread = unreadPart(facts, "process", files);
    if (unread !== undefined || jar === undefined || version === undefined)
      return unread ?? { is: "inapplicable" };
    const source = `${files} (${shellWord(replaced ?? jar)})`;
    return { is: "inferred", value: replaced === undefined ? version : "another version", source };
  };
  return {
    setting: "package",
    want: "zookeeper",
    onDisk: read(version, packageQuestion("zookeeper")),
    inForce: inForce(),
    accepts: (value) => value === version,
    blocked: blocked.package,
    because: replaced === undefined ? undefined : `${replaced}: it was replaced since the process started`,
    ...(needs.package && closing !== undefined ? { closedBy: { change: "packages" } } : {}),
  };
}

function zooCfgRow(view: MemberView): Reading {
  const { facts, zooCfg, blocked } = view;
  return { ...fileRow("zoo.cfg", view, facts.zooCfg, zooCfg), blocked: blocked.zooCfg };
}

function unitRow(view: MemberView): Reading {
  const { facts, unit, blocked, daemonReload } = view;
  const isStopped = facts.process === undefined && unit.agrees;
  const row = fileRow(UNIT, view, facts.unitFile, unit);
  if (facts.unit.needDaemonReload && facts.unitFile.kind === "regular") {
    return {
      ...row,
      inForce: {
        is: "read",
        value: "older files",
        source: unitQuestion(UNIT, "NeedDaemonReload", "DropInPaths"),
      },
      blocked: blocked.unit,
      because: UNREAD,
      ...(daemonReload ? { closedBy: { change: DAEMON_RELOAD } } : {}),
    };
  }
  return {
    ...row,
    blocked: blocked.unit,
    because: isStopped ? `it ${whyStopped(facts)}` : whatChangesIt(facts.unit),
  };
}

/** A file by its digest: on disk, and as the process started with it. */
function fileRow(
  setting: string,
  { facts }: MemberView,
  fact: FileFact,
  file: MemberView["zooCfg"],
): Reading {
  const show = (sha256: string) => sha256.slice(0, 12);
  const path = fact.path;
  const differs = fact.mode !== "0644" || fact.owner !== "root:root";
  const started = facts.started?.digests.get(path);
  const found =
    fact.kind === "absent"
      ? undefined
      : `${show(fact.sha256)}${differs ? ` ${fact.mode} ${fact.owner}` : ""}`;
  return {
    setting,
    want: show(file.sha256),
    onDisk: fact.because === undefined ? read(found, path) : unreadable(path, fact.because),
    inForce:
      facts.process === undefined
        ? NOT_RUNNING
        : (unreadPart(facts, "start record", STARTED) ??
          read(started === undefined ? undefined : show(started), STARTED)),
    diff: file.diff,
    ...(facts.started?.isByTimes === true && facts.process !== undefined
      ? {
          warning: `${STARTED} is gone: that it was started with this file is told by the times of both, until its next start`,
        }
      : {}),
  };
}

function membersRow(view: MemberView): Reading {
  const { servers, facts, blocked } = view;
  const onDisk = serversOf(configurationOf(facts));
  const live = liveConfigurationOf(facts);
  return {
    setting: "members",
    want: showServers(servers),
    onDisk: read(facts.zooCfg.kind === "absent" ? undefined : showServers(onDisk), ZOO_CFG),
    inForce:
      view.membersUnread !== undefined
        ? unreadable(asked(view, "conf"), view.membersUnread)
        : live?.has("membership")
          ? { is: "read", value: showServers(serversInUse(facts)), source: asked(view, "conf") }
          : startedWith(view, showServers(onDisk)),
    blocked: blocked.members,
  };
}

function dataDirRow(view: MemberView): Reading {
  const row = configurationRow(view, "dataDir", view.desired.dataDir, ["dataDir"], ([directory]) =>
    directory!.replace(/\/version-2\/?$/, ""),
  );
  // What zoo.cfg says of it counts for nothing while nobody knows what is there.
  const unread = unreadPart(view.facts, "data", view.desired.dataDir);
  return {
    ...row,
    onDisk: unread ?? row.onDisk,
    // What ZooKeeper itself may not read is not read as root.
    blocked: unread === undefined ? view.blocked.dataDir : view.blocked.surroundings,
  };
}

/** Where nothing is said of it, zoo.cfg has no such line, and `conf` tells the data directory. */
function dataLogDirRows(view: MemberView): readonly Reading[] {
  const { dataLogDir } = view.desired;
  if (dataLogDir === undefined) return [];
  const row = configurationRow(view, "dataLogDir", dataLogDir, ["dataLogDir"], ([directory]) =>
    directory!.replace(/\/version-2\/?$/, ""),
  );
  return [{ ...row, onDisk: unreadPart(view.facts, "data", dataLogDir) ?? row.onDisk }];
}

function myidRow(view: MemberView): Reading {
  const { id, facts, desired, blocked } = view;
  const live = liveConfigurationOf(facts)?.get("serverId")?.value;
  const shown = shownId(facts);
  const onDisk = facts.closedMyid === undefined ? shown : `${shown} ${facts.closedMyid}`;
  const path = myidPath(desired);
  const isStarted = facts.started?.digests.get(path) === facts.myid.sha256 && onDisk !== undefined;
  const inForce = (): Layer => {
    if (facts.process === undefined) return NOT_RUNNING;
    // A lone member has no id: `conf` says 0.
    if (live !== undefined && view.servers.size > 0)
      return { is: "read", value: live, source: asked(view, "conf") };
    return isStarted
      ? { is: "inferred", value: shown!, source: STARTED }
      : (unreadPart(facts, "start record", STARTED) ?? { is: "absent", source: STARTED });
  };
  return {
    setting: "myid",
    want: String(id),
    onDisk: unreadPart(facts, "myid", path) ?? read(onDisk, path),
    inForce: inForce(),
    because:
      facts.closedMyid === undefined
        ? undefined
        : `${path} is ${facts.closedMyid}, and zookeeper may not read it at its next start`,
    blocked: blocked.myid,
  };
}

function timingRow(view: MemberView): Reading {
  const { tickTimeMs, initLimit, syncLimit } = view.desired;
  // A lone member has nobody to wait for, and `conf` says nothing of the limits.
  const keys = ["tickTime", "initLimit", "syncLimit"];
  return configurationRow(
    view,
    keys.join(", "),
    `${tickTimeMs}, ${initLimit}, ${syncLimit}`,
    keys,
    (values) => values.join(", "),
  );
}

function autopurgeRow(view: MemberView): Reading {
  const keys = ["autopurge.snapRetainCount", "autopurge.purgeInterval"];
  const show = ([keep, hours]: readonly string[]) => `keep ${keep}, every ${hours} h`;
  const want = show([String(view.desired.autopurgeKeep), String(PURGE_HOURS)]);
  return configurationRow(view, "autopurge", want, keys, show);
}

/** Keys of zoo.cfg as one value: on disk with the line, live from `conf` when it has them all. */
function configurationRow(
  view: MemberView,
  setting: string,
  want: string,
  keys: readonly string[],
  show: (values: readonly string[]) => string,
): Reading {
  const file = configurationOf(view.facts);
  const onDisk = valuesOf(file, keys);
  const live = valuesOf(liveConfigurationOf(view.facts), keys);
  return {
    setting,
    want,
    onDisk: read(onDisk === undefined ? undefined : show(onDisk), `${ZOO_CFG}${lineOf(file, keys[0]!)}`),
    inForce:
      live !== undefined
        ? { is: "read", value: show(live), source: asked(view, "conf") }
        : startedWith(view, onDisk === undefined ? undefined : show(onDisk)),
  };
}

function valuesOf(
  properties: Properties | undefined,
  keys: readonly string[],
): readonly string[] | undefined {
  const values = keys.flatMap((key) => properties?.get(key)?.value ?? []);
  return values.length === keys.length ? values : undefined;
}

function lineOf(properties: Properties, key: string): string {
  const line = properties.get(key)?.line;
  return line === undefined ? "" : `:${line}`;
}

function wordsRow(view: MemberView): Reading {
  const { facts } = view;
  const key = "4lw.commands.whitelist";
  const file = configurationOf(facts);
  const onDisk = file.get(key)?.value;
  const words = WORDS.split(",");
  const source = `${asked(view, "srvr")} (and so on for each of them)`;
  const inForce = (): Layer => {
    if (facts.asked === undefined) return startedWith(view, onDisk);
    const { answers } = facts.asked;
    const heeded = words.filter((word) => !answers.get(word)?.includes("whitelist"));
    const [unread] = words.flatMap((word) => whyUnanswered(facts, word) ?? []);
    // One that is refused differs, whatever the others would have said.
    return unread === undefined || heeded.length < words.length
      ? { is: "read", value: heeded.join(","), source }
      : unreadable(source, unread);
  };
  return {
    setting: key,
    want: WORDS,
    onDisk: read(onDisk, `${ZOO_CFG}${lineOf(file, key)}`),
    inForce: inForce(),
  };
}

function atBootRow({ atBoot, closing }: MemberView): Reading {
  return { ...atBoot, closedBy: closing === undefined ? undefined : { change: closing } };
}

function heapRow(view: MemberView): Reading {
  const { desired, facts } = view;
  const [, onDisk] = /^ExecStart=.* -Xmx(\S+)/m.exec(facts.unitFile.content ?? "") ?? [];
  // Of several the last one counts.
  const heap = facts.process?.argv.findLast((argument) => argument.startsWith("-Xmx"))?.slice(4);
  const inForce = (): Layer => {
    if (facts.process === undefined) return NOT_RUNNING;
    const source = `/proc/${facts.process.pid}/cmdline`;
    return unreadPart(facts, "process", source) ?? read(heap, source);
  };
  return {
    setting: "heap",
    want: showHeap(desired.heapBytes),
    onDisk: unreadPart(facts, "unit file", UNIT_FILE) ?? read(onDisk, UNIT_FILE),
    inForce: inForce(),
  };
}

/** The journal is rotated and bounded; a file of ZooKeeper's own is not, and without a binding it writes none. */
function logRow({ facts }: MemberView): Reading {
  const unit = facts.unitFile.content;
  const inForce = (): Layer => {
    if (facts.process === undefined) return NOT_RUNNING;
    const { pid, jars, stderr } = facts.process;
    const source = openFiles(pid);
    const unread = unreadPart(facts, "process", source);
    if (unread !== undefined) return unread;
    const binding = jars.find((path) => /\/slf4j-(?!api)[^/]*\.jar/.test(path));
    if (binding === undefined) return { is: "absent", source };
    const isJournal = stderr === "journal" && binding.includes(LOG_BINDING.replace(".jar", ""));
    const value = isJournal ? "journal" : `${binding.split("/").at(-1)} to ${stderr || "nowhere"}`;
    return { is: "read", value, source };
  };
  return {
    setting: "log",
    want: "journal",
    onDisk:
      unreadPart(facts, "unit file", UNIT_FILE) ??
      read(unit?.includes(`/${LOG_BINDING} `) ? "journal" : undefined, UNIT_FILE),
    inForce: inForce(),
  };
}

function listensRow(view: MemberView): Reading {
  const { desired, facts, id, servers, blocked } = view;
  const { clientPort, quorumPort, electionPort } = desired.ports;
  const at = (port: number) => `${desired.address}:${port}`;
  const wanted = servers.size === 0 ? [at(clientPort)] : [at(clientPort), at(electionPort)];
  const allowed = new Set([...wanted, at(quorumPort)]);
  const file = configurationOf(facts);
  const client = file.get("clientPort");
  const onDisk = () => {
    if (client === undefined) return undefined;
    const own = serversOf(file).get(id);
    const election = own === serverOf(desired.address, desired.ports) ? [at(electionPort)] : [];
    return [`${file.get("clientPortAddress")?.value ?? "*"}:${client.value}`, ...election].join(", ");
  };
  const sockets = (facts.process?.sockets ?? [])
    .toSorted((a, b) => a.port - b.port)
    .map(({ address, port }) => `${address}:${port}`);
  const inForce = (): Layer => {
    if (facts.process === undefined) return NOT_RUNNING;
    const source = listenersQuestion(facts.process.pid);
    return unreadPart(facts, "sockets", source) ?? read(sockets.join(", ") || undefined, source);
  };
  return {
    setting: "listens on",
    want: wanted.join(", "),
    onDisk: read(onDisk(), ZOO_CFG),
    inForce: inForce(),
    // The quorum port is the leader's alone. Anything else is a door nobody asked for.
    accepts: (value, layer) =>
      layer === "onDisk"
        ? value === wanted.join(", ")
        : wanted.every((each) => sockets.includes(each)) && sockets.every((each) => allowed.has(each)),
    blocked: blocked.ports,
  };
}

/** AdminServer (≥ 3.5) takes 0.0.0.0:8080, remote JMX a random port on every interface. */
function doorsRow({ facts, desired }: MemberView): Reading {
  const file = configurationOf(facts);
  const unit = facts.unitFile.content;
  const onOff = (isOn: boolean) => (isOn ? "on" : "off");
  const show = (admin: boolean, jmx: boolean) => `${onOff(admin)}, ${onOff(jmx)}`;
  const { clientPort } = desired.ports;
  const adminPort = Number(file.get("admin.serverPort")?.value ?? 8080);
  const files = `cat ${ZOO_CFG} ${UNIT_FILE}`;
  const onDisk =
    facts.zooCfg.kind === "absent" || unit === undefined
      ? undefined
      : show(file.get("admin.enableServer")?.value !== "false", unit.includes("jmxremote"));
  const inForce = (): Layer => {
    if (facts.process === undefined) return NOT_RUNNING;
    const { pid, sockets, argv } = facts.process;
    const source = `${listenersQuestion(pid)}; cat /proc/${pid}/cmdline`;
    const admin = sockets.some(({ port }) => port === adminPort && port !== clientPort);
    const jmx = argv.some((argument) => argument.includes("jmxremote"));
    const unread = unreadPart(facts, "sockets", source) ?? unreadPart(facts, "process", source);
    return unread ?? { is: "inferred", value: show(admin, jmx), source };
  };
  return {
    setting: "AdminServer, JMX",
    want: show(false, false),
    onDisk: unreadPart(facts, "unit file", files) ?? read(onDisk, files),
    inForce: inForce(),
  };
}

/** Proofs that need the others; `isReachable` when the wave this member changes in can bring them about. */
function ensembleRows(
  view: MemberView,
  fleet: ZookeeperFleet,
): readonly (Reading & { isReachable: boolean })[] {
  const { name, quorum, state, facts } = view;
  const companions = companionsOf(view, fleet);
  const unreadRole = quorum.unread.get(name);
  const roleSource = facts.asked === undefined ? "no open port" : asked(view, "srvr");
  const role: Reading & { isReachable: boolean } = {
    setting: "role",
    want: quorum.members === 1 ? "standalone" : "leader or follower",
    onDisk: { is: "inapplicable" },
    inForce:
      state === "stopped"
        ? NOT_RUNNING
        : isUnsteady(facts.unit)
          ? {
              is: "read",
              value: showUnsteady(facts.unit),
              source: unitQuestion(UNIT, "NRestarts", "MainPID"),
            }
          : unreadRole === undefined
            ? { is: "read", value: SHOWN[state], source: roleSource }
            : unreadable(roleSource, unreadRole),
    accepts: (value) => (quorum.members === 1 ? ["standalone"] : ["leader", "follower"]).includes(value),
    because: roleBecause(view),
    warning: deathWarning(facts.unit),
    isReachable: companions + 1 >= quorum.majority,
  };
  if (quorum.members === 1) return [role];
  const want = showQuorum(1, quorum.members - 1);
  const counted = quorumLayer(view);
  const states = [...quorum.states].map(([host, each]) => `${host} ${SHOWN[each]}`).join(", ");
  const isUnanswered = quorum.uncounted !== undefined || quorum.unread.size > 0;
  return [
    role,
    {
      setting: "quorum",
      want,
      onDisk: { is: "inapplicable" },
      inForce: counted,
      // One that is unseen, or did not answer, may be synced: the leader that is seen has counted it.
      accepts: (value) =>
        value === want &&
        [...quorum.states].every(
          ([host, each]) => ["leader", "follower", "unseen"].includes(each) || quorum.unread.has(host),
        ),
      because: counted.is === "unreadable" && isUnanswered ? `${counted.because}: ${states}` : states,
      isReachable: companions === quorum.members - 1,
    },
  ];
}

function quorumLayer(view: MemberView): Layer {
  const { quorum, state } = view;
  const unseen = [...quorum.states].find(([, each]) => each === "unseen");
  if (state === "follower" && quorum.leaders.length === 0 && unseen !== undefined) {
    return unreadable(quorum.source, `${unseen[0]} may lead and cannot be seen`);
  }
  const [silent] = quorum.unread;
  const mayBeLed = state === "follower" || quorum.unread.has(view.name);
  if (quorum.leaders.length === 0 && silent !== undefined && mayBeLed)
    return unreadable(quorum.source, `${silent[0]} may lead and did not answer (${silent[1]})`);
  if (quorum.uncounted !== undefined) return unreadable(quorum.source, quorum.uncounted);
  if (quorum.leaders.length === 1 && quorum.synced === undefined) {
    // Its whitelist hides mntr. A follower serves only once it is in step.
    const followers = [...quorum.states.values()].filter((each) => each === "follower").length;
    return {
      is: "inferred",
      value: showQuorum(1, followers),
      source: `${asked(view, "srvr")} (and so on every member)`,
    };
  }
  const value = showQuorum(quorum.leaders.length, quorum.synced ?? 0);
  return { is: "read", value, source: quorum.source };
}

function showQuorum(leaders: number, synced: number): string {
  return `${leaders} leader${leaders === 1 ? "" : "s"}, ${synced} synced`;
}

/** Why a member that runs does not join those that have a quorum. */
function leftOutBecause({ desired, quorum, facts }: MemberView): string {
  const [leader] = quorum.leaders;
  const { quorumPort, electionPort } = desired.ports;
  const peers = facts.peers ?? new Map<string, string>();
  const failed = desired.members.flatMap(({ host, address }) =>
    // Only a leader listens at its quorum port.
    (host === leader ? [quorumPort, electionPort] : [electionPort]).flatMap((port) => {
      const because = peers.get(`${address}:${port}`) ?? "";
      return because === "" ? [] : [`${address}:${port}: ${quotable(because)}`];
    }),
  );
  const left = `${leader} leads and this member does not join`;
  if (failed.length > 0)
    return `${left}: it cannot reach ${quorumPort} and ${electionPort} of the others (${failed.join("; ")}): let it through there`;
  return peers.size === 0
    ? `${left}: can it reach ${quorumPort} and ${electionPort} of the others?`
    : `${left}, although it reaches ${quorumPort} and ${electionPort} of the others: can they reach ${desired.address}:${electionPort}? Look at journalctl -u ${UNIT}`;
}

function roleBecause(view: MemberView): string | undefined {
  const { name, state, quorum, facts } = view;
  if (state === "stopped") return `${UNIT} does not run`;
  if (state === "looking" && hasMajority(quorum)) return leftOutBecause(view);
  if (state === "looking") {
    const away = [...quorum.states].filter(([, each]) => each === "stopped" || each === "unseen");
    const names = away.map(([host, each]) => `${host} is ${each}`).join(", ");
    return `it runs and serves no client: no majority is there${names === "" ? "" : ` (${names})`}`;
  }
  if (state === "silent") {
    const unread = quorum.unread.get(name);
    const how = unread === undefined ? "" : ` (${unread})`;
    return `process ${facts.process?.pid} does not answer${how}: look at journalctl -u ${UNIT}, and restart it if it stays so`;
  }
  return undefined;
}

/** In force when the process started with this very zoo.cfg. */
function startedWith({ facts }: MemberView, onDisk: string | undefined): Layer {
  if (facts.process === undefined) return NOT_RUNNING;
  const unread = unreadPart(facts, "start record", STARTED);
  if (unread !== undefined) return unread;
  if (onDisk === undefined || !runsItsZooCfg(facts)) return { is: "absent", source: STARTED };
  return { is: "inferred", value: onDisk, source: `${STARTED} (it started with this zoo.cfg)` };
}

function asked({ facts }: MemberView, word: string): string {
  return zookeeperQuestion(facts.asked?.at ?? "", word);
}

/** The layer that comes of a part which was not read; undefined when it was. */
function unreadPart({ unread }: ZookeeperFacts, part: Basis, source: string): Layer | undefined {
  const because = unread.get(part);
  return because === undefined ? undefined : unreadable(source, because);
}

function openFiles(pid: number): string {
  return `ls -l /proc/${pid}/fd`;
}

function unreadable(source: string, because: string): Layer {
  return { is: "unreadable", source, because };
}

function read(value: string | undefined, source: string): Layer {
  return value === undefined ? { is: "absent", source } : { is: "read", value, source };
}
