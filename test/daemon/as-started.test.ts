import { describe, expect, it } from "vitest";
import {
  type AsStarted,
  askGiven,
  lookAsStarted,
  processFact,
  unlikeStarted,
} from "../../src/daemon/as-started.ts";
import type { Ask } from "../../src/reader/protocol.ts";
import { Reader } from "../../src/reader/reader.ts";
import { tellOf, value } from "../reader/told-host.ts";

const UNIT = "x.service";
const UNLIMITED = "unlimited            unlimited            ";

interface Told {
  readonly state?: string;
  readonly nice?: number;
  readonly policy?: number;
  readonly tracer?: number;
  readonly threads?: number;
  readonly processors?: string;
  readonly score?: number;
  readonly io?: number;
  readonly limits?: string;
  readonly root?: string;
  readonly network?: string;
}

/** A process as the kernel prints it: nice is the 19th field of its stat, the policy the 41st. */
function process(pid: number, told: Told = {}) {
  const { state = "S", nice = 0, policy = 0, tracer = 0, threads = 4, processors = "0-3" } = told;
  return processFact({
    pid,
    parts: [
      `${pid} (a) S 1 (b) ${state} 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 ${nice} 30 0 100 ${"0 ".repeat(18)}${policy} 0 0 0`,
      `State:\t${state} (sleeping)\0TracerPid:\t${tracer}\0Threads:\t${threads}\0Cpus_allowed_list:\t${processors}`,
      `${told.score ?? 0}\n`,
      `${told.io ?? 0}`,
      told.limits ??
        `Max cpu time              ${UNLIMITED}seconds\nMax file size             ${UNLIMITED}bytes\n`,
      told.root ?? "/",
      told.network ?? "net:[1]",
    ],
  });
}

const GIVEN = {
  MainPID: "7",
  ControlGroup: `/system.slice/${UNIT}`,
  Nice: "0",
  CPUSchedulingPolicy: "0",
  IOSchedulingClass: "2",
  OOMScoreAdjust: "0",
  CPUAffinity: "",
  LimitFSIZE: "infinity",
  LimitFSIZESoft: "infinity",
  LimitNOFILE: "524288",
  MemoryMax: "infinity",
  TasksMax: "1000",
  CPUQuotaPerSecUSec: "infinity",
};
const GROUP = `/sys/fs/cgroup/system.slice/${UNIT}`;

function said(
  processes: AsStarted["processes"],
  given: Record<string, string> = {},
  groups: Record<string, string> = {},
) {
  const all: Record<string, string> = { ...GIVEN, ...given };
  return unlikeStarted(UNIT, {
    given: new Map(Object.entries(all).map(([key, value]) => [key, [value]])),
    processes,
    first: {
      processors: [0, 1, 2, 3],
      network: "net:[1]",
      limits: new Map([["Max open files", { soft: 1024, hard: 524_288 }]]),
    },
    groups: new Map(Object.entries(groups).map(([file, text]) => [`${GROUP}/${file}`, text])),
  });
}
const NOTHING = { blocked: [], warnings: [] };
const warned = (...words: string[]) => ({
  blocked: [],
  warnings: words.map((word) => expect.stringContaining(word)),
});
const stopped = (...words: string[]) => ({
  blocked: words.map((word) => expect.stringContaining(word)),
  warnings: [],
});

describe("what a process has less of than its unit gives", () => {
  it("is told of each, also of a worker, with the command that gives it back", () => {
    expect(said([process(7), process(8, { nice: 19 })])).toEqual(
      warned("PID 8 of x.service gives way to others (nice 19): renice -n 0 -p 8"),
    );
    expect(said([process(7, { tracer: 99 })])).toEqual(warned("PID 99 traces PID 7 of x.service"));
    expect(said([process(7, { policy: 5 })])).toEqual(warned("SCHED_IDLE): chrt -a -o -p 0 7"));
    expect(said([process(7, { io: 3 << 13 })])).toEqual(
      warned("disks all others leave (idle): ionice -c 0 -p 7"),
    );
    expect(said([process(7, { score: 900 })])).toEqual(
      warned("oom_score_adj 900): echo 0 >/proc/7/oom_score_adj"),
    );
    expect(said([process(7, { processors: "0" })])).toEqual(
      warned("runs its 4 threads on 1 of 4 processors: taskset -a -p -c 0,1,2,3 7"),
    );
  });

  it("is none where the unit gives no more", () => {
    expect(
      said([process(7, { nice: 10, score: 300, io: 3 << 13, processors: "0" })], {
        Nice: "10",
        OOMScoreAdjust: "300",
        IOSchedulingClass: "3",
        CPUAffinity: "0",
      }),
    ).toEqual(NOTHING);
    // What a container may not give.
    expect(said([process(7)], { Nice: "-5", OOMScoreAdjust: "-600" })).toEqual(NOTHING);
    // A process may have taken more.
    expect(said([process(7, { nice: -5, score: -900, policy: 3 })])).toEqual(NOTHING);
    // HAProxy pins itself, with a thread for each processor.
    expect(said([process(7, { processors: "0,1", threads: 2 })])).toEqual(NOTHING);
    // By `cpu-map` each of its worker's threads has a processor, and /proc/PID/status tells that of the first.
    expect(said([process(7, { threads: 1 }), process(8, { processors: "0" })])).toEqual(NOTHING);
    // By CPUAffinity= of processors that the host has not, or that its first process leaves to others.
    expect(said([process(7)], { CPUAffinity: "0-7" })).toEqual(NOTHING);
    expect(said([process(7, { processors: "0-1" })], { CPUAffinity: "0-7" })).toEqual(warned("on 2 of 4"));
    expect(said([process(7, { processors: "4-5" })], { CPUAffinity: "4-5" })).toEqual(NOTHING);
    expect(said([process(7, { processors: "4" })], { CPUAffinity: "4-5" })).toEqual(warned("on 1 of 2"));
    // By AllowedCPUs= of the unit or of its slice.
    const cpusets = { "cpuset.cpus.effective": "0-1" };
    expect(said([process(7, { processors: "0-1" })], {}, cpusets)).toEqual(NOTHING);
    expect(said([process(7, { processors: "0" })], {}, cpusets)).toEqual(warned("on 1 of 2 processors"));
    // By CPUSchedulingPolicy=idle, of which the kernel makes idle at disks.
    expect(said([process(7, { policy: 5, io: 3 << 13 })], { CPUSchedulingPolicy: "5" })).toEqual(NOTHING);
  });
});

describe("what keeps a process from its work", () => {
  it("is told with the command that gives it back", () => {
    expect(said([process(7, { state: "T" })])).toEqual(
      stopped("PID 7 of x.service was stopped by a signal: kill -CONT 7"),
    );
    expect(said([process(7, { root: "/srv/jail" })])).toEqual(stopped("has /srv/jail for its root"));
    expect(said([process(7, { network: "net:[2]" })])).toEqual(stopped("in another network namespace"));
    expect(
      said([
        process(7, { limits: "Max file size             1000000              unlimited            bytes\n" }),
      ]),
    ).toEqual(
      stopped(
        "is limited to a max file size of 1000000, and its unit gives unlimited: prlimit --pid 7 --fsize=unlimited:unlimited",
      ),
    );
    expect(
      said([
        process(7, { limits: "Max open files            64                   64                   files\n" }),
      ]),
    ).toEqual(warned("may open 64 files, and its unit gives 524288: prlimit --pid 7 --nofile=524288"));
  });

  it("is not what its unit or the service itself does", () => {
    expect(said([process(7, { network: "net:[2]" })], { PrivateNetwork: "yes" })).toEqual(NOTHING);
    expect(said([process(7), process(8, { root: "/var/lib/haproxy" })])).toEqual(NOTHING);
    // What a host's first process may not exceed, its services cannot be given.
    expect(
      said([
        process(7, { limits: "Max open files            20000                20000                files\n" }),
      ]),
    ).toEqual(NOTHING);
  });
});

describe("the control group", () => {
  it("that is frozen, or has less than the unit says, is told", () => {
    expect(said([process(7)], {}, { "cgroup.events": "populated 1\nfrozen 1" })).toEqual(
      stopped("all of x.service is frozen"),
    );
    expect(said([process(7)], {}, { "memory.max": "300000000" })).toEqual(
      stopped(
        `300000000 stands in ${GROUP}/memory.max, and x.service gives max: echo max >${GROUP}/memory.max`,
      ),
    );
    expect(said([process(7)], {}, { "pids.max": "4" })).toEqual(stopped("x.service gives 1000"));
    expect(said([process(7)], {}, { "cpu.max": "1000 100000" })).toEqual(warned("1% of a processor is all"));
  });

  it("is silent where systemd has written all of it", () => {
    const files = {
      "cgroup.events": "populated 1\nfrozen 0",
      "memory.max": "max",
      "pids.max": "1000",
      "cpu.max": "max 100000",
    };
    expect(said([process(7)], {}, files)).toEqual(NOTHING);
    // A default of 15%, from before somebody raised kernel.threads-max.
    expect(said([process(7)], { TasksMax: "9483" }, { "pids.max": "4739" })).toEqual(NOTHING);
    const limited = { "memory.max": "314572800", "cpu.max": "20000 100000" };
    expect(said([process(7)], { MemoryMax: "314572800", CPUQuotaPerSecUSec: "200ms" }, limited)).toEqual(
      NOTHING,
    );
  });
});

describe("the processors that a slice leaves", () => {
  const cpuset = "/sys/fs/cgroup/system.slice/cpuset.cpus.effective";
  const look = async (processors: string) => {
    const status = (list: string) => `Threads:\t4\0Cpus_allowed_list:\t${list}`;
    const tell = tellOf({ files: { [cpuset]: "0-1\n" }, units: { [UNIT]: GIVEN } });
    const asked: string[] = [];
    const ask: Ask = async (question) => {
      const [name, what = "", ...parts] = question;
      asked.push(what);
      if (name !== "process") return tell(question);
      const pid = what === "1" ? "1" : "7";
      const told = parts.map((part) =>
        part.startsWith("status:") ? status(pid === "1" ? "0-3" : processors) : "",
      );
      const fields = [pid, "1000", "60", "S", "root:root", ...told];
      return { is: "value", value: value(...fields).value.map((field) => Buffer.from(field)) };
    };
    const reader = new Reader(ask);
    const facts = await lookAsStarted(reader, UNIT, await askGiven(reader, UNIT));
    if (facts?.is !== "value") return expect.fail("nothing was read");
    return { isAsked: asked.includes(cpuset), ...unlikeStarted(UNIT, facts.value) };
  };

  it("are asked where a process may not run on all, and are not taken for what somebody took", async () => {
    expect(await look("0-3")).toEqual({ isAsked: false, ...NOTHING });
    expect(await look("0-1")).toEqual({ isAsked: true, ...NOTHING });
    expect(await look("0")).toEqual({ isAsked: true, ...warned("on 1 of 2 processors") });
  });
});

it("nothing is known of what a unit runs where its main process is not in its control group", async () => {
  const tell = tellOf({ units: { [UNIT]: GIVEN } });
  const none: Ask = async (question) =>
    question[0] === "process" && question[1] !== "1" ? { is: "value", value: [] } : tell(question);
  const reader = new Reader(none);
  expect(await lookAsStarted(reader, UNIT, await askGiven(reader, UNIT))).toEqual({
    is: "unreadable",
    because: "PID 7 of x.service is not in its control group /system.slice/x.service",
  });
});
