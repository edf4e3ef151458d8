import { bootPlan } from "../../daemon/boot.ts";
import { bootLines } from "../../daemon/boot-lines.ts";
import { ENDING_LINES, ENDING_WORDS } from "../../daemon/endings.ts";
import { parsePortRanges } from "../../evidence/port-ranges.ts";
import { type Answer, NotUnderstood, read, readThere, reasonOf } from "../../reader/answer.ts";
import type { Reader } from "../../reader/reader.ts";
import { quotable } from "../../terminal-text.ts";
import type { PreflightDesired } from "./desired.ts";
import type { Flush, PreflightFacts } from "./facts.ts";

const WRITTEN = ["/etc", "/usr", "/var", "/opt", "/run"];
/** The kernel tells of a read-only file system to root too. */
const ROOT = { user: "root", group: "", groups: [] };
const FILLED = ["/usr", "/var", "/opt", "/var/lib/mysql"];
/** The mean of a few says little. */
const ENOUGH_FLUSHES = 20;
const ENOUGH_FLUSHES_OF_KERNEL = 100;

/** What the host offers beyond the facts that are read of every host. */
export async function lookAtMachine(
  reader: Reader,
  { address, member, members, clientPort }: PreflightDesired,
): Promise<PreflightFacts> {
  const own = [...new Set(member === undefined ? [] : [member.dataDir, member.logDir])];
  const directoriesOfMember = own.map((path) => nearestDirectory(reader, path));
  const logDir = directoriesOfMember.at(-1);
  const [directories, space, range, reserved, flush, roundTrips, lines, boot] = await Promise.all([
    reader.may(ROOT, WRITTEN),
    Promise.all([...FILLED, ...directoriesOfMember].map((path) => spaceAt(reader, path))),
    reader.text("/proc/sys/net/ipv4/ip_local_port_range"),
    reader.text("/proc/sys/net/ipv4/ip_local_reserved_ports"),
    logDir === undefined ? undefined : flushOf(reader, address, clientPort, logDir),
    Promise.all(
      members.map(
        async (each) => [each.address, await roundTripTo(reader, each.address, clientPort)] as const,
      ),
    ),
    reader.groupsOf(4, "boot.lines", ENDING_LINES, ENDING_WORDS),
    reader.groupsOf(5, "boot"),
  ]);
  const [, low, high] = /^(\d+)\s+(\d+)\s*$/.exec(readThere(range, "the local port range")) ?? [];
  const reservedPorts = parsePortRanges(readThere(reserved, "the list of reserved ports").trim());
  if (low === undefined || high === undefined || reservedPorts === undefined) {
    throw new NotUnderstood("the local port range or the reserved ports make no sense");
  }
  return {
    directories: readThere(directories, "what root may write")
      .filter(({ kind }) => kind === "directory")
      .map(({ asked, may }) => ({ path: asked, writable: may.includes("w") })),
    space: space.flatMap((found) => found ?? []),
    localPortRange: { first: Number(low), last: Number(high) },
    reservedPorts,
    boot: boot.is === "value" ? bootPlan(boot.value) : undefined,
    bootLines: lines.is === "value" ? bootLines(lines.value) : [],
    flush,
    roundTrips: new Map(roundTrips),
  };
}

async function spaceAt(reader: Reader, where: string | Promise<string>) {
  const path = await where;
  const space = read(await reader.space(path), `the space in ${path}`);
  if (space === undefined) return undefined;
  return {
    path,
    freeBytes: space.blockBytes * space.freeBlocks,
    freeInodes: space.inodes === 0 ? undefined : space.freeInodes,
  };
}

/** What is not there yet will be made in what is. */
async function nearestDirectory(reader: Reader, path: string): Promise<string> {
  const parts = path.split("/").filter(Boolean);
  const paths = parts.map((_, index) => `/${parts.slice(0, parts.length - index).join("/")}`);
  const files = await Promise.all(paths.map((each) => reader.stat(each)));
  return paths.find((each, index) => read(files[index]!, each)?.kind === "directory") ?? "/";
}

/**
 * How long a flush of the disk takes that ZooKeeper writes its log to. Best from ZooKeeper itself, where it runs and
 * counts; else it is measured, and where that cannot be done without a trace the kernel's counters must do.
 */
async function flushOf(
  reader: Reader,
  address: string,
  port: number,
  logDir: Promise<string>,
): Promise<Flush> {
  const asked = await reader.groupsOf(3, "zookeeper.words", address, `${port}`, "mntr");
  const mntr = asked.is === "value" && asked.value[0]?.[1] === "answered" ? asked.value[0][2]! : "";
  const count = Number(/^zk_cnt_fsynctime\s+(\d+)$/m.exec(mntr)?.[1] ?? 0);
  const mean = /^zk_avg_fsynctime\s+([\d.]+)$/m.exec(mntr)?.[1];
  if (count >= ENOUGH_FLUSHES && mean !== undefined)
    return { from: "zookeeper", at: `${address}:${port}`, count, meanMs: Number(mean) };
  const directory = await logDir;
  const measured = await reader.flush(directory);
  if (measured.is === "value") {
    if (measured.value.length === 0 || !measured.value.every(Number.isFinite))
      throw new NotUnderstood("the time of the flushes makes no sense");
    return { from: "measured", directory, milliseconds: measured.value.map((each) => each / 1000) };
  }
  const because = quotable(reasonOf(measured));
  return (await flushesOfKernel(reader, directory)) ?? { from: "unread", directory, because };
}

/**
 * The number of flushes since boot of the disk that holds the path, and their milliseconds (fields 16 and 17 of
 * https://docs.kernel.org/block/stat.html). Disks without a volatile cache are never flushed.
 */
async function flushesOfKernel(reader: Reader, path: string): Promise<Flush | undefined> {
  const mount = await reader.mount(path);
  if (mount.is !== "value") return undefined;
  const disk = `/sys/dev/block/${mount.value.device}`;
  const partition = await reader.stat(`${disk}/partition`);
  // The kernel counts flushes for whole disks only.
  const file = partition.is === "value" ? `${disk}/../stat` : `${disk}/stat`;
  const counters = await reader.text(file);
  if (counters.is !== "value") return undefined;
  const fields = counters.value.trim().split(/\s+/).map(Number);
  const [count, totalMs] = [fields[15] ?? 0, fields[16] ?? Number.NaN];
  if (!Number.isFinite(totalMs) || count < ENOUGH_FLUSHES_OF_KERNEL) return undefined;
  return { from: "kernel", file, count, totalMs };
}

/** A refused connect came there and back. */
async function roundTripTo(
  reader: Reader,
  address: string,
  port: number,
): Promise<{ readonly microseconds: readonly number[]; readonly failure: string }> {
  const trips: Answer<readonly { microseconds: number; error: string }[]> = await reader.roundTrip(
    address,
    port,
  );
  if (trips.is !== "value")
    return {
      microseconds: [],
      failure: trips.is === "unreadable" ? quotable(trips.because) : "nothing was measured",
    };
  const failed = trips.value.find(({ error }) => error !== "" && error !== "Connection refused");
  return {
    microseconds: trips.value.map(({ microseconds }) => microseconds),
    failure: quotable(failed?.error ?? ""),
  };
}
