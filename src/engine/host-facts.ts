import type { HostFacts } from "../contract/host.ts";
import { socketsOf } from "../evidence/sockets.ts";
import { type Answer, mapAnswer, NotRead, NotUnderstood, read, readThere } from "../reader/answer.ts";
import type { ClockReading, Reader } from "../reader/reader.ts";
import { quotable } from "../terminal-text.ts";
import { type BootRecord, bootRecordsOf } from "./boot.ts";

/** The lock that a person puts there: see commands/hand-lock.sh. */
const HAND_LOCK = "/var/lib/meshctl/locked";

/** All but what is told by the last questions of a look. */
export type FirstFacts = Omit<HostFacts, "clock" | "boot"> & { readonly bootRecords: readonly BootRecord[] };

/**
 * What is read of every host, whatever the steps are; all but the clock and the boot. Throws NotRead, for half a list of packages or of
 * our own files would look like a host that has none, and NotUnderstood.
 */
export async function lookAtHost(reader: Reader): Promise<FirstFacts> {
  const firstLine = async (path: string, what: string) =>
    readThere(await reader.text(path), what).split("\n", 1)[0]!;
  const [
    os,
    kernel,
    packages,
    virtualization,
    cpus,
    memoryBytes,
    bootId,
    uptime,
    hard,
    addresses,
    sockets,
    manifest,
    boots,
    locked,
  ] = await Promise.all([
    osOf(reader),
    firstLine("/proc/sys/kernel/osrelease", "the kernel's release"),
    reader.packages(),
    reader.answerTo("virtualization"),
    lineOf(reader, "/proc/self/status", "^Cpus_allowed_list:"),
    memoryOf(reader),
    firstLine("/proc/sys/kernel/random/boot_id", "the boot's number"),
    firstLine("/proc/uptime", "the uptime"),
    lineOf(reader, "/proc/1/limits", "^Max open files"),
    reader.answerTo("addresses"),
    reader.answerTo("sockets.listening"),
    reader.text("/var/lib/meshctl/manifest"),
    reader.text("/var/lib/meshctl/boots"),
    reader.text(HAND_LOCK),
  ]);
  const installed = readThere(packages, "the list of packages");
  const limit = hard.trim().split(/\s+/)[4];
  return {
    os,
    kernel,
    architecture: installed.architecture,
    // Where it fails it says nothing.
    virtualization: virtualization.is === "value" ? virtualization.value.trim() : "",
    cpus: countOf(cpus.replace(/^\w+:/, "").trim()),
    memoryBytes,
    bootId,
    uptimeSeconds: numberOf(uptime.split(" ", 1)[0]!, "the uptime"),
    hardOpenFiles:
      limit === "unlimited" ? Number.MAX_SAFE_INTEGER : numberOf(limit, "the limit of open files"),
    addresses: addressesOf(told(addresses, "the list of addresses")),
    listeners: socketsOf(told(sockets, "the list of listening sockets")),
    manifest: manifestOf(read(manifest, "the list of what meshctl wrote") ?? ""),
    bootRecords: bootRecordsOf(read(boots, "the list of what meshctl changed in which boot") ?? ""),
    packages: installed.versions,
    lockedBy: mapAnswer(locked, (text) => quotable(text.split("\n", 1)[0]!.slice(0, 500))),
  };
}

/**
 * The host's clock against this machine's. Durations go by performance.now(), which no step of the clock moves; a host's
 * clock can only be compared with the one that people set.
 */
export function clockOf(answer: Answer<ClockReading>): HostFacts["clock"] {
  const { hostMs, sentAtMs, receivedAtMs } = readThere(answer, "the clock");
  if (!Number.isFinite(hostMs)) throw new NotUnderstood("the clock tells no time");
  const aheadMs = Date.now() - performance.now();
  return {
    skewMs: Math.round(hostMs - (sentAtMs + receivedAtMs) / 2 - aheadMs),
    uncertaintyMs: Math.ceil((receivedAtMs - sentAtMs) / 2),
  };
}

async function osOf(reader: Reader): Promise<HostFacts["os"]> {
  const [release, debianVersion] = await Promise.all([
    reader.lines("/etc/os-release", "^(?:ID|VERSION_ID|VERSION_CODENAME|PRETTY_NAME)="),
    reader.text("/etc/debian_version"),
  ]);
  const lines = read(release, "the name of the system")?.lines ?? [];
  const known = new Map(
    lines.map(({ text }) => {
      const [, key, value] = /^(\w+)=["']?(.*?)["']?$/.exec(text) ?? [];
      return [key, value ?? ""];
    }),
  );
  const [id = "", versionId = "", codename = ""] = ["ID", "VERSION_ID", "VERSION_CODENAME"].map((key) =>
    known.get(key),
  );
  // sid has no codename of its own in os-release; base-files' debian_version tells it from the next stable.
  const isSid =
    versionId === "" &&
    id === "debian" &&
    (read(debianVersion, "Debian's version") ?? "").trim().endsWith("/sid");
  return { id, versionId, codename: isSid ? "sid" : codename, prettyName: known.get("PRETTY_NAME") ?? "" };
}

/** A limit on the whole host, as containers have it, is in either version's cgroup. */
async function memoryOf(reader: Reader): Promise<number> {
  const [total, ...limits] = await Promise.all([
    lineOf(reader, "/proc/meminfo", "^MemTotal:"),
    reader.text("/sys/fs/cgroup/memory.max"),
    reader.text("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
  ]);
  const bytes = numberOf(total.split(/\s+/)[1], "the memory") * 1024;
  const limited = limits
    .map((limit) => Number(read(limit, "the limit of memory") ?? Number.NaN))
    .filter((limit) => Number.isFinite(limit) && limit > 0);
  return Math.min(bytes, ...limited);
}

/** What ip and ss say: a Debian that is smaller than a minimal one may lack them. */
function told(answer: Answer<string>, what: string): string {
  if (answer.is === "unreadable" && /^(ip|ss) does not run: No such file/.test(answer.because))
    throw new NotRead(`${what} was not read: ${answer.because}. Type there: apt-get install iproute2`);
  return readThere(answer, what);
}

/** The first line of a file of the kernel's that matches. */
async function lineOf(reader: Reader, path: string, pattern: string): Promise<string> {
  const lines = mapAnswer(await reader.lines(path, pattern), (file) => file.lines);
  const [line] = readThere(lines, path);
  if (line === undefined) throw new NotUnderstood(`${path} has no line that matches ${pattern}`);
  return line.text;
}

function numberOf(text: string | undefined, what: string): number {
  const number = Number(text);
  if (text === undefined || text === "" || !Number.isFinite(number))
    throw new NotUnderstood(`${what} is no number: ${text?.slice(0, 100)}`);
  return number;
}

/** "0-3,6" are five. */
function countOf(list: string): number {
  const counts = list.split(",").map((range) => {
    const [first, last = first] = range.split("-").map((each) => numberOf(each, "the list of processors"));
    return last! - first! + 1;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

/** As `ip -o addr show` prints them. */
function addressesOf(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const [, , family, address] = line.split(/\s+/, 4);
    return family === "inet" || family === "inet6" ? [address!.split("/", 1)[0]!] : [];
  });
}

/** Digest and path in each line. */
function manifestOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const [, digest, path] = /^(\S+)[ \t]+(.*\S)/.exec(line) ?? [];
      return digest === undefined ? [] : [[path!, digest]];
    }),
  );
}
