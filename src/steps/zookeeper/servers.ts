import { socketsOf } from "../../evidence/sockets.ts";
import { isWildcard } from "../../ip.ts";
import { type Answer, mapAnswer, NotRead, readThere } from "../../reader/answer.ts";
import type { ProcessReading, Reader } from "../../reader/reader.ts";
import { quotable } from "../../terminal-text.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { ProcessFact, ServerFact, ZookeeperFacts } from "./facts.ts";
import { type Properties, parseProperties } from "./properties.ts";
import { UNIT, UNIT_FILE, ZOO_CFG } from "./render.ts";

/** The argument of a server's command line that names its class. */
const SERVER = "cmdline:org\\.apache\\.zookeeper\\.server\\.(?:quorum|ZooKeeperServerMain)";
const DETAILS = ["cmdline", "files:/(?:zookeeper|slf4j-).*\\.jar", "stderr", "environ:JOURNAL_STREAM"];
const WORDS = ["srvr", "mntr", "conf", "isro", "ruok"];
const JOURNAL_LINES = "40";
/** What a member without a quorum answers. */
const NOT_SERVING = "not currently serving";

type Running = Pick<ZookeeperFacts, "process" | "strangers" | "asked" | "peers" | "lastWords"> & {
  /** Whether the process and the host's sockets were read whole. */
  readonly isRead: { readonly process: Answer<unknown>; readonly sockets: Answer<unknown> };
};
type Details = Omit<ServerFact, keyof ProcessFact>;
const UNKNOWN: Details = { argv: [], jars: [], stderr: "" };

/** Every ZooKeeper server of the host, whoever started it, and what the unit's says. Throws NotRead. */
export async function lookAtServers(reader: Reader, desired: ZookeeperDesired): Promise<Running> {
  const [listed, listening, configuration, unitFile] = await Promise.all([
    reader.processes("java", ["cgroup", SERVER]),
    reader.answerTo("sockets.listening"),
    configurationIn(reader),
    reader.stat(UNIT_FILE),
  ]);
  const servers = readThere(listed, "the list of processes").filter(({ parts }) => parts[1] !== "");
  const sockets = mapAnswer(listening, socketsOf);
  const processFact = ({ pid }: ProcessReading): ProcessFact => {
    const all = sockets.is === "value" ? sockets.value : [];
    return {
      pid,
      sockets: all.filter(({ pids }) => pids.includes(pid)).map(({ local }) => endpointOf(local)),
    };
  };
  const first = servers.find(isInUnit);
  const strangers = servers.filter((server) => !isInUnit(server)).map(processFact);
  if (first === undefined) {
    // Why there is none, in its own words.
    const lastWords = unitFile.is === "absent" ? "" : await lastWordsIn(reader);
    const isRead = { process: { is: "absent" }, sockets } as const;
    return { process: undefined, strangers, asked: undefined, lastWords, isRead };
  }
  const own = processFact(first);
  const [process, asked] = await Promise.all([
    detailsOf(reader, first),
    sockets.is === "unreadable"
      ? allFailed(`${desired.address}:${desired.ports.clientPort}`, sockets.because)
      : ask(reader, desired, configuration, own),
  ]);
  const details = process.is === "value" ? process.value : UNKNOWN;
  const isLooking = [...(asked?.answers.values() ?? [])].some((text) => text.includes(NOT_SERVING));
  return {
    process: { ...own, ...details },
    strangers,
    asked,
    ...(isLooking ? { peers: await peersOf(reader, desired) } : {}),
    lastWords: "",
    isRead: { process, sockets },
  };
}

/** Whether it can connect to the ports by which the others elect a leader and follow one. */
async function peersOf(reader: Reader, { members, address, ports }: ZookeeperDesired) {
  const others = members.filter((member) => member.address !== address);
  const tried = others.flatMap((member) =>
    [ports.quorumPort, ports.electionPort].map(async (port) => {
      const answer = await reader.answerTo("health", member.address, `${port}`, "2", "");
      // Its own words begin with where it was asked.
      const because = answer.is === "value" ? answer.value.replace(/^.*?:\d+: /, "") : "";
      return [`${member.address}:${port}`, because] as const;
    }),
  );
  return new Map(await Promise.all(tried));
}

/** zoo.cfg as it is on disk; nothing where it was not read, which ends the look. */
export async function configurationIn(reader: Reader): Promise<Properties> {
  const text = await reader.text(ZOO_CFG);
  return parseProperties(text.is === "value" ? text.value : "");
}

function isInUnit({ parts: [cgroup] }: ProcessReading): boolean {
  return cgroup!.split("\n").some((line) => line.endsWith(`/${UNIT}`));
}

/** `ss` prints "[::ffff:10.0.0.2]:2181" for Java's sockets, "*:8080" for a wildcard. */
function endpointOf(local: string): ProcessFact["sockets"][number] {
  const colon = local.lastIndexOf(":");
  const address = local.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { address: address.replace(/^::ffff:/, ""), port: Number(local.slice(colon + 1)) };
}

/** What the unit's server is made of. Throws NotRead when it has ended meanwhile. */
async function detailsOf(reader: Reader, { pid, start }: ProcessReading): Promise<Answer<Details>> {
  const answer = await reader.process(pid, DETAILS);
  if (answer.is === "absent" || (answer.is === "value" && answer.value.start !== start))
    throw new NotRead(`${UNIT} was not read: process ${pid} ended meanwhile`);
  return mapAnswer(answer, ({ parts }) => {
    const [cmdline = "", jars = "", stderr = "", environment = ""] = parts;
    const [path = "", stream = ""] = stderr.split("\0");
    const isJournal = stream !== "" && environment === `JOURNAL_STREAM=${stream}`;
    return {
      argv: cmdline.split("\0").filter(Boolean),
      jars: jars.split("\0").filter(Boolean),
      stderr: isJournal ? "journal" : path,
    };
  });
}

/** Asks at the last socket with a port that is known; undefined when there is none. A wildcard is asked at the mesh address. */
async function ask(
  reader: Reader,
  { address, ports }: ZookeeperDesired,
  configuration: Properties,
  { sockets }: ProcessFact,
): Promise<ZookeeperFacts["asked"]> {
  const known = [`${ports.clientPort}`, configuration.get("clientPort")?.value];
  const socket = sockets.findLast(({ port }) => known.includes(`${port}`));
  if (socket === undefined) return undefined;
  const host = socket.address === "*" || isWildcard(socket.address) ? address : socket.address;
  const at = `${host}:${socket.port}`;
  const words = await reader.groupsOf(3, "zookeeper.words", host, `${socket.port}`, ...WORDS);
  if (words.is !== "value") return allFailed(at, words.is === "unreadable" ? words.because : words.is);
  const answers = new Map<string, string>();
  const failures = new Map<string, string>();
  for (const [word, is, said] of words.value) {
    const text = said!.trim();
    if (is === "answered" && text !== "") answers.set(word!, text);
    else failures.set(word!, is === "answered" ? "its answer is empty" : text);
  }
  return { at, answers, failures };
}

function allFailed(at: string, because: string): NonNullable<ZookeeperFacts["asked"]> {
  return { at, answers: new Map(), failures: new Map(WORDS.map((word) => [word, because])) };
}

async function lastWordsIn(reader: Reader): Promise<string> {
  const journal = await reader.answerTo("journal.unit", UNIT, JOURNAL_LINES, "yes");
  if (journal.is !== "value") return journal.is === "absent" ? "" : `(not read: ${journal.because})`;
  const lines = journal.value.split("\n").filter((line) => line.trim() !== "" && !/^\s/.test(line));
  // systemd's own lines come last and say only that it ended.
  const own = lines.filter((line) => !/^(zookeeper\.service: |Start|Stop)/.test(line));
  return (own.length > 0 ? own : lines).slice(-2).map(quotable).join(" | ");
}
