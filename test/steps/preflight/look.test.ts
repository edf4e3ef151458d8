import { describe, expect, it } from "vitest";
import { bootPlan } from "../../../src/daemon/boot.ts";
import { ENDING_LINES, ENDING_WORDS } from "../../../src/daemon/endings.ts";
import { NotRead, NotUnderstood } from "../../../src/reader/answer.ts";
import { Reader } from "../../../src/reader/reader.ts";
import { askRecording, keyOf, type Recording } from "../../../src/reader/recording.ts";
import type { PreflightDesired } from "../../../src/steps/preflight/desired.ts";
import { lookAtMachine } from "../../../src/steps/preflight/look.ts";

const value = (...fields: (string | number)[]) => ({ is: "value", value: fields.map(String) }) as const;
const absent = { is: "absent" } as const;
const late = { is: "unreadable", because: "it took more than 5 s" } as const;
const directory = (path: string) => value("directory", "0755", "root:root", 4096, "", path, 1);
const stat = (path: string) => keyOf(["file", path, "stat"]);
const space = (path: string) => keyOf(["space", path]);
const MAY = keyOf(["may", "root", "", "", "/etc", "/usr", "/var", "/opt", "/run"]);
const may = (path: string, what: string) => ["there", what, "", path, "directory", "0755", "root:root"];
const gone = (path: string) => ["absent", "", "", path, "", "", ""];
const text = (path: string) => keyOf(["file", path, "content", "", ""]);
const content = (path: string, words: string) =>
  value("regular", "0444", "root:root", words.length, "", path, 1, words);
const RANGE = "/proc/sys/net/ipv4/ip_local_port_range";
const RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports";
const MNTR = keyOf(["zookeeper.words", "10.0.0.1", "2181", "mntr"]);
const TRIP = keyOf(["round_trip", "10.0.0.2", "2181"]);
const FLUSH = keyOf(["flush", "/var/lib"]);
const DISK = "/sys/dev/block/8:1";

/** A member whose data directory is not there yet, and whose disk makes no files without a name. */
const member: Recording = {
  [MAY]: value(...may("/etc", "rwx"), ...may("/usr", "rx"), ...["/var", "/opt", "/run"].flatMap(gone)),
  [stat("/var")]: absent,
  [stat("/var/lib/zookeeper")]: absent,
  [stat("/var/lib")]: directory("/var/lib"),
  [space("/usr")]: value(4096, 1000, 0, 0),
  [space("/var")]: value(512, 2000, 900, 30),
  [space("/opt")]: absent,
  [space("/var/lib/mysql")]: absent,
  [space("/var/lib")]: value(512, 2000, 900, 30),
  [text(RANGE)]: content(RANGE, "1024\t65023\n"),
  [text(RESERVED)]: content(RESERVED, "2181,8080-8081\n"),
  [TRIP]: value(310, "Connection refused", 290, ""),
  [keyOf(["boot"])]: value(
    ...["multi-user.target", "", "", "", ""],
    ...["chrony.service", "multi-user.target", "running", "chronyd", ""],
  ),
  [keyOf(["boot.lines", ENDING_LINES, ENDING_WORDS])]: value(
    ...["/etc/cron.d/site", 1, "0 * * * * root ansible-pull", "cron"],
  ),
  [MNTR]: { is: "unreadable", because: "Connection refused" },
  [FLUSH]: { is: "unreadable", because: "Operation not supported" },
  [keyOf(["mount", "/var/lib"])]: value("8:1", "/", "ext4", "/dev/sda1", "rw"),
  [stat(`${DISK}/partition`)]: value("regular", "0444", "root:root", 4096, "", "", 1),
  [text(`${DISK}/../stat`)]: content("", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 120 60\n"),
};
const desired = {
  address: "10.0.0.1",
  member: { dataDir: "/var/lib/zookeeper", logDir: "/var/lib/zookeeper" },
  members: [{ host: "kvm-02", address: "10.0.0.2" }],
  clientPort: 2181,
} as unknown as PreflightDesired;

const lookAt = (changed: Recording = {}, want: Partial<PreflightDesired> = {}) =>
  lookAtMachine(new Reader(askRecording({ ...member, ...changed })), { ...desired, ...want });

describe("a look at the machine", () => {
  it("becomes facts", async () => {
    expect(await lookAt()).toEqual({
      directories: [
        { path: "/etc", writable: true },
        { path: "/usr", writable: false },
      ],
      space: [
        { path: "/usr", freeBytes: 4_096_000, freeInodes: undefined },
        { path: "/var", freeBytes: 1_024_000, freeInodes: 30 },
        { path: "/var/lib", freeBytes: 1_024_000, freeInodes: 30 },
      ],
      localPortRange: { first: 1024, last: 65023 },
      reservedPorts: [
        { first: 2181, last: 2181 },
        { first: 8080, last: 8081 },
      ],
      boot: bootPlan([
        ["multi-user.target", "", "", "", ""],
        ["chrony.service", "multi-user.target", "running", "chronyd", ""],
      ]),
      bootLines: [{ path: "/etc/cron.d/site", line: 1, text: "0 * * * * root ansible-pull", by: "cron" }],
      flush: { from: "kernel", file: `${DISK}/../stat`, count: 120, totalMs: 60 },
      roundTrips: new Map([["10.0.0.2", { microseconds: [310, 290], failure: "" }]]),
    });
  });

  it("asks nothing of flushes on hosts that are no members", async () => {
    const { [MNTR]: _, [FLUSH]: __, ...others } = member;
    const reader = new Reader(askRecording(others));
    const { flush } = await lookAtMachine(reader, { ...desired, member: undefined });
    expect(flush).toBeUndefined();
  });

  it.each([
    ["what may be written", MAY, "what root may write"],
    ["a directory", stat("/var/lib"), "/var/lib"],
    ["the space", space("/usr"), "the space in /usr"],
    ["the port range", text(RANGE), "the local port range"],
    ["the reserved ports", text(RESERVED), "the list of reserved ports"],
    ["the data directory", stat("/var/lib/zookeeper"), "/var/lib/zookeeper"],
  ])("says which of these was not read: %s", async (_, question, what) => {
    await expect(lookAt({ [question]: late })).rejects.toThrow(
      new NotRead(`${what} was not read: it took more than 5 s`),
    );
  });

  it.each([
    [RANGE, "soon"],
    [RESERVED, "all"],
  ])("is refused where %s says %j", async (path, words) => {
    await expect(lookAt({ [text(path)]: content(path, words) })).rejects.toThrow(NotUnderstood);
  });
});

describe("how long flushes take", () => {
  it.each<[string, Recording, object]>([
    [
      "by ZooKeeper, which counts them",
      { [MNTR]: value("mntr", "answered", "zk_avg_fsynctime\t3.25\nzk_cnt_fsynctime\t4711") },
      { from: "zookeeper", at: "10.0.0.1:2181", count: 4711, meanMs: 3.25 },
    ],
    [
      "by ten writes, where it has counted few",
      {
        [MNTR]: value("mntr", "answered", "zk_avg_fsynctime\t3.25\nzk_cnt_fsynctime\t19"),
        [FLUSH]: value(250, 1500),
      },
      { from: "measured", directory: "/var/lib", milliseconds: [0.25, 1.5] },
    ],
    [
      "by ten writes, where it answers too late",
      { [MNTR]: value("mntr", "failed", "no end of its answer in time"), [FLUSH]: value(250) },
      { from: "measured", directory: "/var/lib", milliseconds: [0.25] },
    ],
    [
      "not at all, where the kernel counts none",
      { [text(`${DISK}/../stat`)]: absent },
      { from: "unread", directory: "/var/lib", because: "Operation not supported" },
    ],
    [
      "by none of the kernel's counters that are too few",
      { [text(`${DISK}/../stat`)]: content("", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 99 60\n") },
      { from: "unread", directory: "/var/lib", because: "Operation not supported" },
    ],
  ])("is told %s", async (_, changed, flush) => {
    expect((await lookAt(changed)).flush).toEqual(flush);
  });

  it.each([[[]], [["soon"]]])("is refused when it is %j", async (times) => {
    await expect(lookAt({ [FLUSH]: value(...times) })).rejects.toThrow(NotUnderstood);
  });
});

describe("the way to a member", () => {
  it.each<[string, Recording[string], object]>([
    [
      "that cannot be reached",
      value(91, "No route to host"),
      { microseconds: [91], failure: "No route to host" },
    ],
    ["that does not answer", value(), { microseconds: [], failure: "" }],
    ["that was not measured", late, { microseconds: [], failure: "it took more than 5 s" }],
  ])("%s", async (_, answer, way) => {
    expect((await lookAt({ [TRIP]: answer })).roundTrips.get("10.0.0.2")).toEqual(way);
  });
});
