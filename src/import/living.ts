import { commandLine } from "../command-line.ts";
import type { HostName } from "../host-name.ts";
import type { GivenFile } from "./given-file.ts";
import type { Entry } from "./service.ts";

/** A program of SmartStack that runs on a host, as its command line and its unit tell. */
export interface FoundProgram {
  readonly program: "Synapse" | "Nerve" | "HAProxy" | "ZooKeeper";
  readonly pid: number;
  /** Undefined where systemd started it as no service. */
  readonly unit: string | undefined;
  /** Arguments; the first is the program. */
  readonly argv: readonly string[];
  /** Configuration files, absolute; none where the command line names none. */
  readonly files: readonly string[];
}

/** zoo.cfg of a member that runs. */
export interface FoundMember {
  readonly path: string;
  /** Key → value. */
  readonly properties: ReadonlyMap<string, string>;
  /** N → what `server.N` says. */
  readonly servers: ReadonlyMap<number, string>;
  /** Of its myid; undefined where it is alone. */
  readonly id: number | undefined;
  readonly argv: readonly string[];
  readonly unit: string | undefined;
}

/** What was read of a host on which a mesh runs already. */
export interface LivingHost {
  readonly name: HostName;
  /** By which others reach it. */
  readonly address: string;
  /** All that it has. */
  readonly addresses: readonly string[];
  /** How it is reached, as the inventory has it; undefined where its address alone tells. */
  readonly ssh: Entry | undefined;
  readonly programs: readonly FoundProgram[];
  /** Those of Synapse, Nerve and, where no Synapse writes it, HAProxy. */
  readonly files: readonly GivenFile[];
  readonly member: FoundMember | undefined;
  /** Key → value in force. */
  readonly kernel: ReadonlyMap<string, string>;
  /** Parameters of the mysql step by which nothing of it changes; undefined where there is no server, or it was not read. */
  readonly database: Entry | undefined;
  /** Connections that HAProxy takes now, or, where it was not asked, those that the host's open files allow. */
  readonly maxconn: { readonly most: number; readonly isAsked: boolean };
  /** systemd-detect-virt; "" where it could not be told. */
  readonly virtualization: string;
  /** What could not be read, and what follows, a sentence each. */
  readonly unread: readonly string[];
}

/** Hosts on which a mesh runs, as they were read. */
export interface Living {
  readonly hosts: readonly LivingHost[];
  /** The inventory's lines on how they are reached. */
  readonly ssh: readonly string[];
  /** As they were asked for: "kvm-01,kvm-02". */
  readonly from: string;
}

/** Members of the ensemble, its ports, and what all or some say of ZooKeeper's parameters. */
export interface LivingEnsemble {
  readonly members: readonly { readonly host: HostName; readonly address: string; readonly id?: number }[];
  readonly ports: { readonly client: number; readonly quorum: number; readonly election: number };
  readonly parameters: ReadonlyMap<HostName, Entry>;
  readonly notes: readonly string[];
}

/** Lines of zoo.cfg that are said otherwise, or that meshctl writes as well. */
const SAID =
  /^(server\.\d+|dataDir|dataLogDir|clientPort|tickTime|initLimit|syncLimit|autopurge\.snapRetainCount|autopurge\.purgeInterval|admin\.enableServer)$/;

/** The ensemble that the hosts' zoo.cfg tell of; undefined where none of them has one. */
export function ensembleOf(hosts: readonly LivingHost[]): LivingEnsemble | undefined {
  const there = hosts.flatMap((host) => (host.member === undefined ? [] : [{ host, member: host.member }]));
  const [first] = there;
  if (first === undefined) return undefined;
  const notes: string[] = [];
  const members: { host: HostName; address: string; id?: number }[] = [];
  const parameters = new Map<HostName, Entry>();
  const peerPorts = new Set<string>();
  for (const [id, server] of first.member.servers) {
    const [, name = "", quorumPort, electionPort] = /^\[?(.+?)\]?:(\d+):(\d+)/.exec(server) ?? [];
    if (/:observer\b/i.test(server))
      notes.push(`server.${id}=${server}: no place, all members of meshctl's vote: it votes here`);
    if (quorumPort !== undefined) peerPorts.add(`${quorumPort}:${electionPort}`);
    const host =
      hosts.find((each) => each.addresses.includes(name) || each.name === name) ??
      there.find(({ member }) => member.id === id)?.host;
    if (host === undefined)
      notes.push(
        `member ${id}, ${name}, is none of the hosts that were read: say --from with it too; as it stands it is reached at that address`,
      );
    members.push({ host: host?.name ?? `zk-${id}`, address: host?.address ?? name, id });
  }
  if (members.length === 0) members.push({ host: first.host.name, address: first.host.address });
  const [quorum, election] = ([...peerPorts][0] ?? "2888:3888").split(":").map(Number) as [number, number];
  if (peerPorts.size > 1)
    notes.push(
      `the members' ports to each other are ${[...peerPorts].join(", ")}: no place, all have the same: ${quorum}:${election} here`,
    );
  const client = clientPortOf(first.member);
  for (const { host, member } of there) {
    const say = (text: string) => notes.push(`${host.name}: ${member.path}: ${text}`);
    if (!members.some((each) => each.host === host.name))
      say(`it is a member of another ensemble than ${first.host.name}: no place, a mesh has one`);
    if (JSON.stringify([...member.servers]) !== JSON.stringify([...first.member.servers]))
      say(`its members are others than in ${first.host.name}'s, which are taken`);
    if (clientPortOf(member) !== client)
      say(`its clientPort is ${clientPortOf(member)}: no place, all members have the same: ${client} here`);
    const own = parametersOf(member, say);
    parameters.set(host.name, own);
  }
  return { members, ports: { client, quorum, election }, parameters, notes };
}

/** Since ZooKeeper 3.5 a member's own line may have it: "10.0.0.1:2888:3888;2181". */
function clientPortOf({ properties, id }: FoundMember): number {
  const [, behind] = /;(?:.*:)?(\d+)$/.exec(properties.get(`server.${id}`) ?? "") ?? [];
  return Number(properties.get("clientPort") ?? behind ?? 2181);
}

function parametersOf({ properties, argv }: FoundMember, say: (text: string) => void): Entry {
  const number = (key: string) => (properties.has(key) ? Number(properties.get(key)) : undefined);
  for (const [key, value] of properties)
    if (!SAID.test(key)) say(`${key}=${value}: no place, meshctl's zoo.cfg has no such line, or its own`);
  const dataDir = properties.get("dataDir") ?? "";
  const logDir = properties.get("dataLogDir") ?? dataDir;
  const keep = number("autopurge.snapRetainCount");
  const heap = argv.findLast((argument) => /^-Xmx\d+[kmgKMG]?$/.test(argument))?.slice("-Xmx".length);
  if (heap === undefined) say("its command line says no heap (-Xmx): it gets meshctl's, 1G");
  const bytes = heap === undefined ? undefined : heapOf(heap);
  return {
    adopt: true,
    ...(bytes === undefined ? {} : { heap: bytes }),
    data_dir: dataDir,
    ...(logDir === dataDir ? {} : { data_log_dir: logDir }),
    // What ZooKeeper takes where the file does not say.
    tick_time: number("tickTime") ?? 3000,
    ...(number("initLimit") === undefined ? {} : { init_limit: number("initLimit") }),
    ...(number("syncLimit") === undefined ? {} : { sync_limit: number("syncLimit") }),
    ...(keep === undefined || keep < 3 ? {} : { autopurge_keep: keep }),
  };
}

/** As the inventory takes it: no less than 64 MiB. */
function heapOf(text: string): string {
  const [, digits = "0", unit = ""] = /^(\d+)(\D?)$/.exec(text) ?? [];
  const bytes =
    Number(digits) * ({ k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit.toLowerCase() as "k" | "m" | "g"] ?? 1);
  return `${Math.max(64, Math.ceil(bytes / 2 ** 20))}M`;
}

/** What every host of some says alike, and what each says beside it. */
export function sharedOf(entries: ReadonlyMap<HostName, Entry>): {
  readonly common: Entry;
  readonly own: ReadonlyMap<HostName, Entry>;
} {
  const [first = {}, ...others] = entries.values();
  const isCommon = (key: string) =>
    others.every((each) => JSON.stringify(each[key]) === JSON.stringify(first[key]));
  const pick = (entry: Entry, wanted: boolean) =>
    Object.fromEntries(Object.entries(entry).filter(([key]) => isCommon(key) === wanted));
  return {
    common: pick(first, true),
    own: new Map([...entries].map(([host, entry]) => [host, pick(entry, false)])),
  };
}

const HAPROXY_CONFIG = "/etc/haproxy/haproxy.cfg";

/** So that the restart does not wait for the watcher with nothing to serve. */
function copyOf([path = "", ...more]: readonly string[]): string {
  return more.length === 0
    ? `${commandLine("cp", "-p", path, HAPROXY_CONFIG)},`
    : `put what they say into ${HAPROXY_CONFIG},`;
}

/** What provision does on hosts that live, step by step: hosts that are told the same stand together. */
export function changesOn(hosts: readonly LivingHost[], ensemble: LivingEnsemble | undefined) {
  const lines = new Map<string, HostName[]>();
  const say = (host: HostName, text: string) => lines.set(text, [...(lines.get(text) ?? []), host]);
  for (const { name, programs, kernel, database } of hosts) {
    const of = (program: FoundProgram["program"]) => programs.filter((each) => each.program === program);
    if (kernel.size > 0)
      say(
        name,
        "sysctl: the values that are in force are written to a file of meshctl's, and the mesh's own ports are kept from outgoing connections (net.ipv4.ip_local_reserved_ports)",
      );
    if (ensemble?.members.some(({ host }) => host === name))
      say(
        name,
        `zookeeper: ${of("ZooKeeper")[0]?.files[0] ?? "its zoo.cfg"} gives way to /etc/zookeeper/conf/zoo.cfg and ${of("ZooKeeper")[0]?.unit ?? "what starts it"} to a unit of meshctl's: each member is restarted, one at a time; sessions outlive that`,
      );
    const [proxy] = of("HAProxy");
    if (proxy !== undefined) {
      const elsewhere = proxy.files.filter((path) => path !== HAPROXY_CONFIG);
      say(
        name,
        elsewhere.length === 0
          ? "haproxy: gets a drop-in for its unit, and is reloaded with the new haproxy.cfg: no connection is lost"
          : `haproxy: it runs with ${elsewhere.join(", ")}, and meshctl's is ${HAPROXY_CONFIG}: it is restarted once, for a reload keeps the command line, and connections are cut and refused for that moment. First, on the host: ${copyOf(elsewhere)} and take away what makes it start so (CONFIG= in /etc/default/haproxy, or a drop-in): plan names the line`,
      );
      const synapse = of("Synapse").map(({ unit }) => unit ?? "the process");
      say(
        name,
        `watcher: meshctl's Synapse writes haproxy.cfg from then on${synapse.length === 0 ? "" : `, and ${synapse.join(", ")} is stopped and disabled behind it`}`,
      );
    }
    for (const { unit } of of("Nerve"))
      say(
        name,
        `registrar: meshctl's Nerve registers beside ${unit ?? "the one that runs"}, which is stopped and disabled behind it: the services stay registered`,
      );
    if (database !== undefined)
      say(name, "mysql: the settings that are in force are written to a file of meshctl's: no restart");
  }
  return [...lines].map(([text, names]) => `${names.join(", ")}: ${text}`);
}
