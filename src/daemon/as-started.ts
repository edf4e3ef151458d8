import { type Answer, mapAnswer, readThere } from "../reader/answer.ts";
import type { ProcessReading, Reader, UnitProperties } from "../reader/reader.ts";

/** What systemd gives each process that it starts for a unit, and that somebody may have taken from one that runs. */
export const GIVEN = [
  "MainPID",
  "ControlGroup",
  "Nice",
  "CPUSchedulingPolicy",
  "IOSchedulingClass",
  "IOSchedulingPriority",
  "OOMScoreAdjust",
  "CPUAffinity",
  "RootDirectory",
  "RootImage",
  "PrivateNetwork",
  "NetworkNamespacePath",
  "JoinsNamespaceOf",
  "MemoryMax",
  "MemoryHigh",
  "TasksMax",
  "CPUQuotaPerSecUSec",
  ...["CPU", "FSIZE", "DATA", "NPROC", "NOFILE"].flatMap((limit) => [`Limit${limit}`, `Limit${limit}Soft`]),
];
const STATUS = "status:^(?:State|TracerPid|Threads|Cpus_allowed_list):";
const PARTS = ["stat", STATUS, "oom_score_adj", "ioprio", "limits", "root", "ns/net"];
/** Of the first process, which the others have all from. */
const FIRST = ["status:^Cpus_allowed_list:", "limits", "ns/net"];
const CGROUPS = "/sys/fs/cgroup";
const WRITTEN = ["memory.max", "memory.high", "cpu.max", "pids.max", "cgroup.events"];
/** The processors that AllowedCPUs= of a unit, or of a slice above it, leaves. */
const CPUSET = "cpuset.cpus.effective";

/** A process of a unit's as the kernel has it. */
export interface ProcessFact {
  readonly pid: number;
  /** As ps(1) tells it: "T" was stopped by a signal. */
  readonly state: string;
  /** Of a debugger; 0 when there is none. */
  readonly tracer: number;
  readonly nice: number;
  /** As sched(7) numbers them: 5 is SCHED_IDLE. */
  readonly policy: number;
  /** As ioprio_get(2) has it; undefined where that cannot be asked. */
  readonly io: { readonly class: number; readonly level: number } | undefined;
  /** 1000 is ended first when memory is short. */
  readonly oomScoreAdj: number;
  readonly threads: number;
  /** Numbers of those that it may run on. */
  readonly processors: readonly number[];
  readonly root: string;
  /** Its network as the kernel numbers it; "" where that cannot be read. */
  readonly network: string;
  /** By their names in /proc/PID/limits. */
  readonly limits: ReadonlyMap<string, { readonly soft: number; readonly hard: number }>;
}

/** What runs of a unit, and what systemd would give it. */
export interface AsStarted {
  readonly given: UnitProperties;
  readonly processes: readonly ProcessFact[];
  readonly first: Pick<ProcessFact, "processors" | "network" | "limits"> | undefined;
  /** Files of its control groups, from its own up: each path with its text. None before cgroup v2. */
  readonly groups: ReadonlyMap<string, string>;
}

/** Asks what `lookAsStarted` begins with, before it is known whether the unit matters. */
export function askGiven(reader: Reader, unit: string): Promise<Answer<UnitProperties>> {
  return reader.unit(unit, GIVEN);
}

/**
 * One round trip after what systemd gives, a few files of each process, and one more where a process may not run on all
 * processors. Undefined of a unit without a control group.
 */
export async function lookAsStarted(
  reader: Reader,
  unit: string,
  asked: Answer<UnitProperties>,
): Promise<Answer<AsStarted> | undefined> {
  if (asked.is !== "value") return asked;
  const given = readThere(asked, unit);
  const group = given.get("ControlGroup")?.at(-1) ?? "";
  if (group === "") return undefined;
  const parts = group.split("/").slice(1);
  const groups = parts.map((_, at) => `${CGROUPS}/${parts.slice(0, parts.length - at).join("/")}`);
  const read = async (paths: readonly string[]) => {
    const texts = await Promise.all(paths.map((path) => reader.text(path)));
    return texts.flatMap((text, at) =>
      text.is === "value" ? [[paths[at]!, text.value.trim()] as const] : [],
    );
  };
  const [processes, first, written] = await Promise.all([
    reader.processes(group, PARTS),
    reader.process(1, FIRST),
    read(groups.flatMap((each) => WRITTEN.map((file) => `${each}/${file}`))),
  ]);
  const firstHas = first.is === "value" ? firstFact(first.value.parts) : undefined;
  const found = mapAnswer(processes, (all) => all.map(processFact));
  const main = Number(textOf(given, "MainPID"));
  // Of a process that is elsewhere, or of a list that was not read, nothing is known.
  if (main > 0 && found.is === "value" && !found.value.some(({ pid }) => pid === main))
    return { is: "unreadable", because: `PID ${main} of ${unit} is not in its control group ${group}` };
  const isPinned =
    found.is === "value" &&
    found.value.some(({ processors }) => firstHas?.processors.some((each) => !processors.includes(each)));
  const cpusets = isPinned ? await read(groups.map((each) => `${each}/${CPUSET}`)) : [];
  return mapAnswer(found, (all) => ({
    given,
    processes: all,
    first: firstHas,
    groups: new Map([...written, ...cpusets]),
  }));
}

export function processFact({ pid, parts }: Pick<ProcessReading, "pid" | "parts">): ProcessFact {
  const [stat = "", status = "", oomScoreAdj = "", io = "", limits = "", root = "", network = ""] = parts;
  // The name, which may hold anything, is the second field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const said = statusOf(status);
  return {
    pid,
    state: fields[0] ?? "",
    tracer: Number(said.get("TracerPid") ?? 0),
    nice: Number(fields[16] ?? 0),
    policy: Number(fields[38] ?? 0),
    io: io === "" ? undefined : { class: Number(io) >> 13, level: Number(io) & 7 },
    oomScoreAdj: Number(oomScoreAdj),
    threads: Number(said.get("Threads") ?? 1),
    processors: numbersIn(said.get("Cpus_allowed_list") ?? ""),
    root,
    network,
    limits: limitsIn(limits),
  };
}

function firstFact([status = "", limits = "", network = ""]: readonly string[]) {
  const processors = numbersIn(statusOf(status).get("Cpus_allowed_list") ?? "");
  return { processors, limits: limitsIn(limits), network };
}

function statusOf(status: string): ReadonlyMap<string, string> {
  return new Map(
    status.split(/[\0\n]/).flatMap((line) => {
      const [, key, value] = /^(\w+):\s*(.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value!] as const];
    }),
  );
}

/** "0-3,8" as the kernel writes it, or "0 1 2 3". */
function numbersIn(list: string): readonly number[] {
  return list.split(/[,\s]+/).flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) return [];
    return Array.from(
      { length: Math.min(Number(last) - Number(first) + 1, 4096) },
      (_, at) => Number(first) + at,
    );
  });
}

function limitsIn(text: string): ProcessFact["limits"] {
  const number = (word: string) => (word === "unlimited" ? Number.POSITIVE_INFINITY : Number(word));
  return new Map(
    [...text.matchAll(/^(Max [a-z ]+?) {2,}(\S+) +(\S+)/gm)].map(([, name, soft, hard]) => [
      name!,
      { soft: number(soft!), hard: number(hard!) },
    ]),
  );
}

/** Sentences about what runs otherwise than its unit starts it: of what keeps it from its work, and of what holds it back. */
export function unlikeStarted(
  unit: string,
  facts: AsStarted,
): { readonly blocked: readonly string[]; readonly warnings: readonly string[] } {
  const written = byHandInGroups(unit, facts);
  const each = facts.processes.map((process) => {
    const who = `PID ${process.pid} of ${unit}`;
    return { stops: stopsOf(who, process, facts), slows: slowsOf(who, process, facts) };
  });
  return {
    blocked: [...written.blocked, ...each.flatMap(({ stops }) => stops)],
    warnings: [...written.warnings, ...each.flatMap(({ slows }) => slows)],
  };
}

type Given = AsStarted["given"];

function textOf(given: Given, property: string): string {
  return given.get(property)?.at(-1) ?? "";
}

/** As systemd writes one, "infinity" without. Undefined of what it does not tell. */
function numberOf(given: Given, property: string): number | undefined {
  const text = textOf(given, property);
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** Limits that a process lacks no more than its unit gives: their names in /proc/PID/limits, prlimit's, systemd's. */
const LIMITS = [
  ["Max cpu time", "cpu", "CPU"],
  ["Max file size", "fsize", "FSIZE"],
  ["Max data size", "data", "DATA"],
  ["Max processes", "nproc", "NPROC"],
] as const;
/** Services set the soft one themselves, and a database the hard one, to what they need. It is missed when it is used up. */
const LEAST_OPEN_FILES = 4096;

function stopsOf(who: string, process: ProcessFact, { given, first }: AsStarted): readonly string[] {
  const { pid, state, root, network } = process;
  const found: string[] = [];
  if (state === "T") found.push(`${who} was stopped by a signal: kill -CONT ${pid} lets it go on`);
  const isMain = textOf(given, "MainPID") === `${pid}`;
  const isRooted = textOf(given, "RootImage") !== "" || !["", "/"].includes(textOf(given, "RootDirectory"));
  // A worker may shut itself in.
  if (isMain && !isRooted && root !== "" && root !== "/")
    found.push(`${who} has ${root} for its root, and its unit gives it the host's: restart ${unitIn(who)}`);
  const hasNetwork =
    textOf(given, "PrivateNetwork") === "yes" ||
    ["NetworkNamespacePath", "JoinsNamespaceOf"].some((property) => textOf(given, property) !== "");
  if (
    !hasNetwork &&
    network !== "" &&
    first !== undefined &&
    first.network !== "" &&
    network !== first.network
  )
    found.push(
      `${who} is in another network namespace than the host (ip netns identify ${pid}): restart ${unitIn(who)}`,
    );
  for (const [name, option, property] of LIMITS) {
    // A worker of HAProxy's starts nothing, and takes that from itself.
    if (property === "NPROC" && !isMain) continue;
    const has = process.limits.get(name);
    const hard = least(numberOf(given, `Limit${property}`), first?.limits.get(name)?.hard);
    const soft = least(numberOf(given, `Limit${property}Soft`), hard);
    if (has === undefined || (has.soft >= soft && has.hard >= hard)) continue;
    found.push(
      `${who} is limited to a ${name.toLowerCase()} of ${shown(Math.min(has.soft, has.hard))}, and its unit gives ${shown(soft)}: prlimit --pid ${pid} --${option}=${shown(soft)}:${shown(hard)}`,
    );
  }
  return found;
}

/** As prlimit(1) takes it. */
function shown(limit: number): string {
  return limit === Number.POSITIVE_INFINITY ? "unlimited" : `${limit}`;
}

function unitIn(who: string): string {
  return who.split(" ").at(-1)!;
}

function least(one: number | undefined, other: number | undefined): number {
  // What systemd does not tell is not judged.
  return one === undefined ? Number.NEGATIVE_INFINITY : Math.min(one, other ?? Number.POSITIVE_INFINITY);
}

const IDLE = 5;
const IDLE_IO = 3;

function slowsOf(who: string, process: ProcessFact, facts: AsStarted): readonly string[] {
  const { given } = facts;
  const { pid, state, tracer, nice, policy, io, oomScoreAdj, processors, threads, limits } = process;
  const found: string[] = [];
  // It goes on in between, as under strace, or not, as under gdb.
  if (state === "t" || tracer !== 0)
    found.push(`PID ${tracer} traces ${who}, and may hold it: ps -fp ${tracer} tells whose it is`);
  // What lifts a process above others a container may not give it.
  const niceGiven = Math.max(0, numberOf(given, "Nice") ?? nice);
  if (policy === IDLE && numberOf(given, "CPUSchedulingPolicy") !== IDLE)
    found.push(`${who} gets what processors all others leave (SCHED_IDLE): chrt -a -o -p 0 ${pid}`);
  else if (nice > niceGiven)
    found.push(`${who} gives way to others (nice ${nice}): renice -n ${niceGiven} -p ${pid}`);
  const classGiven = numberOf(given, "IOSchedulingClass");
  // Newer kernels tell of SCHED_IDLE as idle at disks too.
  if (io?.class === IDLE_IO && policy !== IDLE && classGiven !== undefined && classGiven !== IDLE_IO)
    found.push(`${who} gets what disks all others leave (idle): ionice -c 0 -p ${pid}`);
  const files = limits.get("Max open files")?.hard ?? Number.POSITIVE_INFINITY;
  const filesGiven = least(numberOf(given, "LimitNOFILE"), facts.first?.limits.get("Max open files")?.hard);
  if (files < LEAST_OPEN_FILES && files < filesGiven)
    found.push(
      `${who} may open ${files} files, and its unit gives ${shown(filesGiven)}: prlimit --pid ${pid} --nofile=${shown(filesGiven)}`,
    );
  const scoreGiven = Math.max(0, numberOf(given, "OOMScoreAdjust") ?? oomScoreAdj);
  if (oomScoreAdj > scoreGiven)
    found.push(
      `the kernel ends ${who} before others when memory is short (oom_score_adj ${oomScoreAdj}): echo ${scoreGiven} >/proc/${pid}/oom_score_adj`,
    );
  const all = processorsFor(facts);
  const lost = all.filter((each) => !processors.includes(each));
  // A worker may pin itself (`cpu-map` of HAProxy's); who does has no more threads than processors otherwise.
  const isMain = textOf(given, "MainPID") === `${pid}`;
  if (isMain && processors.length > 0 && lost.length > 0 && threads > processors.length)
    found.push(
      `${who} runs its ${threads} threads on ${processors.length} of ${all.length} processors: taskset -a -p -c ${all.join(",")} ${pid}`,
    );
  return found;
}

/** What a process of the unit's may run on where nobody pins it: the nearest control group with a list bounds it. */
function processorsFor({ given, first, groups }: AsStarted): readonly number[] {
  const firstHas = first?.processors ?? [];
  const affinity = numbersIn(textOf(given, "CPUAffinity"));
  // Of those that it names a host may have a part.
  const all = affinity.length === 0 ? firstHas : bounded(affinity, firstHas);
  const [, left] = [...groups].find(([path]) => path.endsWith(`/${CPUSET}`)) ?? [];
  return bounded(all, numbersIn(left ?? ""));
}

/** Those of one list that are in the other; all of them where none is. */
function bounded(all: readonly number[], by: readonly number[]): readonly number[] {
  const both = all.filter((each) => by.includes(each));
  return both.length === 0 ? all : both;
}

/** Files of a control group in which a limit stands, with the property of the unit that says what systemd writes there. */
const GROUP_LIMITS = [
  ["memory.max", "MemoryMax"],
  ["memory.high", "MemoryHigh"],
  ["pids.max", "TasksMax"],
] as const;

/** What somebody wrote into the files of the unit's own control group, and whether all of it, or one above, is frozen. */
function byHandInGroups(unit: string, { given, groups }: AsStarted) {
  const blocked: string[] = [];
  const warnings: string[] = [];
  const own = `${CGROUPS}${textOf(given, "ControlGroup")}`;
  if (/^frozen 1$/m.test(groups.get(`${own}/cgroup.events`) ?? ""))
    blocked.push(
      `all of ${unit} is frozen: systemctl thaw ${unit}, or echo 0 >${own}/cgroup.freeze and above it`,
    );
  for (const [file, property] of GROUP_LIMITS) {
    const text = groups.get(`${own}/${file}`);
    const given1 = numberOf(given, property);
    if (text === undefined || text === "max" || given1 === undefined) continue;
    const isLess =
      file === "pids.max"
        ? // systemd tells a share of what the kernel allows now, and wrote one of what it allowed then.
          Number(text) < Math.min(given1, LEAST_TASKS)
        : // The kernel counts in pages.
          Number(text) + PAGE_BYTES <= given1;
    const gives = given1 === Number.POSITIVE_INFINITY ? "max" : given1;
    if (isLess)
      blocked.push(
        `${text} stands in ${own}/${file}, and ${unit} gives ${gives}: echo ${gives} >${own}/${file}`,
      );
  }
  const [quota = "max", period = ""] = (groups.get(`${own}/cpu.max`) ?? "max").split(" ");
  if (quota !== "max" && textOf(given, "CPUQuotaPerSecUSec") === "infinity")
    warnings.push(
      `${Math.round((Number(quota) / Number(period)) * 100)}% of a processor is all that ${own}/cpu.max leaves ${unit}, which its unit does not say: echo max >${own}/cpu.max`,
    );
  return { blocked, warnings };
}

const PAGE_BYTES = 65_536;
/** The share of 15% that a host of 256 MiB gives. */
const LEAST_TASKS = 256;
