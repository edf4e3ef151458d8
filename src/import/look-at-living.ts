import { basename, resolve } from "node:path/posix";
import { lookAtWorker } from "../haproxy/look.ts";
import { maxconnWithin } from "../haproxy/open-files.ts";
import type { HostName } from "../host-name.ts";
import { type Answer, NotRead, NotUnderstood, reasonOf } from "../reader/answer.ts";
import type { ProcessReading, Reader } from "../reader/reader.ts";
import { lookAtDatabase } from "../steps/mysql/look.ts";
import { parseProperties, serversOf, withDynamic } from "../steps/zookeeper/properties.ts";
import { quotable } from "../terminal-text.ts";
import { type GivenFile, jsonOf } from "./given-file.ts";
import type { FoundMember, FoundProgram, LivingHost } from "./living.ts";
import type { Entry } from "./service.ts";

/** What a host has of a mesh; its name, addresses and how it is reached are known elsewhere. */
export type LivingParts = Omit<LivingHost, "name" | "address" | "addresses" | "ssh" | "virtualization">;

/** Names (comm) under which Ruby programs, HAProxy and Java run. */
const RUBY = ["ruby", "ruby2.5", "ruby2.7", "ruby3.1", "ruby3.3", "ruby3.4", "bundle", "synapse", "nerve"];
const OTHERS = ["haproxy", "java"];
const ZOOKEEPER = /^org\.apache\.zookeeper\.server\.(?:quorum\.QuorumPeerMain|ZooKeeperServerMain)$/;
/** Those that the sysctl step sets unless it is told otherwise. */
const KERNEL = [
  "net.ipv4.tcp_tw_reuse",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_fin_timeout",
  "net.core.somaxconn",
];
const DEFAULT_MAXCONN = 50_000;
const MIB = 2 ** 20;

/** Reads what runs on a host, and the files that it runs with. What cannot be read is said, and is no value. Throws NotRead. */
export async function lookAtLiving(
  reader: Reader,
  host: HostName,
  { hardOpenFiles, cpus }: { readonly hardOpenFiles: number; readonly cpus: number },
): Promise<LivingParts> {
  const unread: string[] = [];
  const say = (text: string) => void unread.push(quotable(`${host}: ${text}`));
  const [programs, kernel, database, { info }] = await Promise.all([
    programsOf(reader, say),
    kernelOf(reader, say),
    databaseOf(reader, say),
    lookAtWorker(reader),
  ]);
  const asked = info.is === "value" ? info.value.get("maxconn") : undefined;
  const files: GivenFile[] = [];
  const ruby = programs.filter(({ program }) => program === "Synapse" || program === "Nerve");
  for (const { program, files: paths, pid } of ruby) {
    if (paths.length === 0)
      say(`${program}, process ${pid}, names no file on its command line: nothing is taken`);
    for (const path of paths) files.push(...(await smartstackFile(reader, host, path, say)));
  }
  const hasSynapse = ruby.some(({ program }) => program === "Synapse");
  for (const { program, files: paths } of programs) {
    if (program !== "HAProxy" || hasSynapse) continue;
    const [first, ...more] = paths;
    if (more.length > 0) say(`HAProxy reads ${more.join(", ")} as well: not taken, it is one file here`);
    if (first === undefined) continue;
    const text = await reader.longText(first);
    if (text.is === "value") files.push({ path: `${host}:${first}`, text: text.value, host });
    else say(`HAProxy runs with ${first}, which was not read: ${reasonOf(text)}`);
  }
  const zookeeper = programs.find(({ program }) => program === "ZooKeeper");
  return {
    programs,
    files,
    member: zookeeper === undefined ? undefined : await memberOf(reader, zookeeper, say),
    kernel,
    database,
    maxconn:
      asked === undefined
        ? { most: Math.min(DEFAULT_MAXCONN, maxconnWithin(hardOpenFiles, cpus)), isAsked: false }
        : { most: Number(asked), isAsked: true },
    unread,
  };
}

async function programsOf(reader: Reader, say: (text: string) => void): Promise<readonly FoundProgram[]> {
  const listed = await Promise.all(
    [...RUBY, ...OTHERS].map(async (name) => {
      const found = await reader.processes(name, ["cmdline", "cgroup", "cwd"]);
      if (found.is === "unreadable") say(`the processes called ${name} were not read: ${found.because}`);
      return found.is === "value" ? found.value : [];
    }),
  );
  const found: FoundProgram[] = [];
  for (const process of listed.flat().filter(({ state }) => state !== "Z")) {
    const [commandLine = "", cgroup = "", cwd = "/"] = process.parts;
    const argv = commandLine.replace(/\0$/, "").split("\0");
    const program = programIn(argv);
    if (program === undefined) continue;
    const files = filesOf(program, argv, cwd);
    const unit = await unitOf(reader, process, cgroup, files);
    if (unit?.startsWith("meshctl-")) {
      say(`${program} is meshctl's own already (${unit}): nothing is taken of it`);
      continue;
    }
    // A master process and its workers, old ones too, are one HAProxy.
    const isTwin = (each: FoundProgram) =>
      each.program === program && each.unit === unit && each.files.join("\0") === files.join("\0");
    if (program === "HAProxy" && found.some(isTwin)) continue;
    found.push({ program, pid: process.pid, unit, argv, files });
  }
  return found;
}

function programIn(argv: readonly string[]): FoundProgram["program"] | undefined {
  if (argv.some((word) => ZOOKEEPER.test(word))) return "ZooKeeper";
  const [first = ""] = argv;
  if (basename(first) === "haproxy") return "HAProxy";
  // Behind the interpreter, its options, and `bundle exec`.
  const names = argv.slice(0, 8).map((word) => basename(word));
  const at = names.findIndex((name) => name === "synapse" || name === "nerve");
  if (at === -1 || argv[at]!.endsWith("/")) return undefined;
  return names[at] === "synapse" ? "Synapse" : "Nerve";
}

/** The files that a command line names, absolute. */
export function filesOf(program: FoundProgram["program"], argv: readonly string[], cwd: string): string[] {
  const absolute = (path: string) => resolve(cwd === "" ? "/" : cwd, path);
  if (program === "ZooKeeper") {
    const path = argv[argv.findIndex((word) => ZOOKEEPER.test(word)) + 1];
    // ZooKeeper alone may be told port and directory instead.
    return path === undefined || /^\d+$/.test(path) ? [] : [absolute(path)];
  }
  if (program === "HAProxy") {
    const changed = argv.flatMap((word, at) => (word === "-C" ? [argv[at + 1] ?? ""] : []))[0];
    const from = changed === undefined ? absolute("") : absolute(changed);
    return argv.flatMap((word, at) => (word === "-f" ? [resolve(from, argv[at + 1] ?? "")] : []));
  }
  return argv.flatMap((word, at) => {
    if (word === "-c" || /^--c(?:o(?:n(?:f(?:ig?)?)?)?)?$/.test(word)) return [absolute(argv[at + 1] ?? "")];
    const [, glued] = /^(?:--config=|-c)(.+)$/.exec(word) ?? [];
    return glued === undefined ? [] : [absolute(glued)];
  });
}

/**
 * The service of systemd's that started the process; one that only happens to be above it, sshd's or cron's, has another main
 * process and another command.
 */
async function unitOf(
  reader: Reader,
  { pid }: ProcessReading,
  cgroup: string,
  files: readonly string[],
): Promise<string | undefined> {
  const name = /\/system\.slice\/(?:[^/\n]+\.slice\/)*([^/\n]+\.service)(?:\/|$)/m.exec(cgroup)?.[1];
  if (name === undefined) return undefined;
  const unit = await reader.unit(name, ["MainPID", "ExecStart"]);
  if (unit.is !== "value") return undefined;
  const isMain = Number(unit.value.get("MainPID")?.[0]) === pid;
  const command = (unit.value.get("ExecStart") ?? []).join("\n");
  const isOwn = /^(?:zookeeper|haproxy|synapse|nerve|meshctl-)/.test(name);
  return isMain || isOwn || files.some((path) => command.includes(path)) ? name : undefined;
}

/** A synapse.conf.json or nerve.conf.json with its `service_conf_dir`; nothing where it was not read. */
async function smartstackFile(
  reader: Reader,
  host: HostName,
  path: string,
  say: (text: string) => void,
): Promise<readonly GivenFile[]> {
  const read = async (at: string): Promise<string | undefined> => {
    const text = await reader.longText(at);
    if (text.is !== "value") say(`${at} was not read: ${reasonOf(text)}`);
    else if (jsonOf(text.value) === undefined) say(`${at} is neither JSON nor YAML: nothing is taken of it`);
    else return text.value;
    return undefined;
  };
  const text = await read(path);
  if (text === undefined) return [];
  const directory = (jsonOf(text) as { readonly service_conf_dir?: unknown }).service_conf_dir;
  if (typeof directory !== "string") return [{ path: `${host}:${path}`, text, host }];
  const folder = resolve(path, "..", directory);
  const listed = await reader.list(folder, "\\.(json|yaml)$");
  if (listed.is !== "value") {
    say(`${folder}, the service_conf_dir of ${path}, was not read: ${reasonOf(listed)}`);
    return [{ path: `${host}:${path}`, text, host }];
  }
  const services = new Map<string, string>();
  for (const { name } of listed.value) {
    const one = await read(`${folder}/${name}`);
    if (one !== undefined) services.set(name.replace(/\.(?:json|yaml)$/, ""), one);
  }
  return [{ path: `${host}:${path}`, text, host, services }];
}

async function memberOf(
  reader: Reader,
  { files: [path], argv, unit, pid }: FoundProgram,
  say: (text: string) => void,
): Promise<FoundMember | undefined> {
  if (path === undefined) {
    say(`ZooKeeper, process ${pid}, names no file on its command line: nothing is taken of it`);
    return undefined;
  }
  const text = await reader.text(path);
  if (text.is !== "value") {
    say(`ZooKeeper runs with ${path}, which was not read: ${reasonOf(text)}: nothing is taken of it`);
    return undefined;
  }
  const own = parseProperties(text.value);
  const dynamicPath = own.get("dynamicConfigFile")?.value;
  const dynamic: Answer<string> =
    dynamicPath === undefined ? { is: "absent" } : await reader.text(resolve(path, "..", dynamicPath));
  if (dynamicPath !== undefined && dynamic.is !== "value")
    say(`${dynamicPath}, in which ZooKeeper's members are, was not read: ${reasonOf(dynamic)}`);
  const properties = withDynamic(own, dynamic.is === "value" ? dynamic.value : undefined);
  const myidPath = `${properties.get("dataDir")?.value ?? ""}/myid`;
  const servers = serversOf(properties);
  const myid = servers.size === 0 ? undefined : await reader.text(myidPath);
  if (myid !== undefined && myid.is !== "value") say(`${myidPath} was not read: ${reasonOf(myid)}`);
  return {
    path,
    properties: new Map([...properties].map(([key, { value }]) => [key, value])),
    servers,
    id: myid?.is === "value" ? Number(myid.value.trim()) : undefined,
    argv,
    unit,
  };
}

async function kernelOf(reader: Reader, say: (text: string) => void): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    KERNEL.map(async (key) => [key, await reader.text(`/proc/sys/${key.replaceAll(".", "/")}`)] as const),
  );
  return new Map(
    found.flatMap(([key, answer]): [string, string][] => {
      if (answer.is === "value") return [[key, answer.value.trim().replace(/\s+/g, " ")]];
      say(`${key} was not read: ${reasonOf(answer)}: meshctl's default would be set`);
      return [];
    }),
  );
}

/** What the running server has, as the mysql step's parameters. */
async function databaseOf(reader: Reader, say: (text: string) => void): Promise<Entry | undefined> {
  const left = (because: string) =>
    say(`the database's settings were not read: ${because}: it is in no group here, and left alone`);
  try {
    const { installed } = await lookAtDatabase(reader);
    if (installed === undefined) return undefined;
    const live = installed.live;
    const number = (name: string) => (live?.has(name) ? Number(live.get(name)) : undefined);
    const [pool, flush] = [number("innodb_buffer_pool_size"), number("innodb_flush_log_at_trx_commit")];
    if (pool === undefined || flush === undefined) {
      left(installed.liveError ?? "the server does not run");
      return undefined;
    }
    const [log, redo] = [number("innodb_log_file_size"), number("innodb_redo_log_capacity")];
    for (const [name, bytes] of [
      ["innodb_log_file_size", log],
      ["innodb_redo_log_capacity", redo],
    ] as const)
      if (bytes !== undefined && bytes % MIB !== 0)
        say(`${name} is ${bytes}: no place, it has whole MiB: it becomes ${Math.ceil(bytes / MIB)}M`);
    const size = (bytes: number) => `${Math.ceil(bytes / MIB)}M`;
    return {
      server: installed.server.name,
      buffer_pool_size: pool % MIB === 0 ? size(pool) : pool,
      ...(log === undefined ? {} : { log_file_size: size(log) }),
      ...(redo === undefined ? {} : { redo_log_capacity: size(redo) }),
      flush_log_at_trx_commit: flush,
    };
  } catch (error) {
    if (!(error instanceof NotRead) && !(error instanceof NotUnderstood)) throw error;
    left(error.message);
    return undefined;
  }
}
