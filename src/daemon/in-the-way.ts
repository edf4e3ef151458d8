import { BlockList } from "node:net";
import type { BootLine } from "./boot-lines.ts";

/** Where others reach a service. */
interface Door {
  readonly port: number;
  /** On the loopback interface alone. */
  readonly isLocal: boolean;
}

/** How a service is reached, and whom it reaches itself. */
export interface Reach {
  readonly doors: readonly Door[];
  /** Addresses. */
  readonly peers: readonly string[];
}

/** What a line puts between a service and those that use it. */
export interface InTheWay {
  readonly does: string;
  /** All of its line before the command. */
  readonly before: string;
  /** Whether the line leaves open if it concerns the service. */
  readonly isSaid: boolean;
  /** Whether it stands in a file of rules, where no shell decides about it. */
  readonly isRule?: boolean;
  /** Whether starting the unit again does not take it back. */
  readonly lasts: true;
}

const FINAL = "drop|reject|DROP|REJECT|REDIRECT|DNAT|TPROXY|redirect|dnat|tproxy";
const SOCKET_VERBS =
  "(?:disable|shutdown) (?:frontend|server|sessions)|disable (?:health|agent)|set (?:maxconn|rate-limit|weight|server)|del server";

/** One of these stands in each of the lines below. */
export const WAY_WORDS = [
  ...`${FINAL}|accept|ACCEPT`.split("|"),
  "/var/lib/zookeeper",
  ..."hook netem blackhole unreachable prohibit down socat sock LOCK lock UNLOCK unlock mysqladmin mariadb-admin zkCli".split(
    " ",
  ),
];
/** Each part is looked for once in a line: hosts have files of one long line. */
const has = (what: string) => `(?=.*?${what})`;
const both = (one: string, other: string) => `${has(one)}${has(other)}`;
const VERDICT = `\\b(?:${FINAL}|accept|ACCEPT|hook)\\b`;
/** A list of addresses that are shut out is nobody's door. */
const OF_ADDRESS = `(?!${has("(?:saddr|-s)\\s{1,9}[\"']?[\\d{]")}${has(`\\b(?:${FINAL})\\b`)})`;
/** Lines of a packet filter, a route, a socket or a client. */
export const WAY_LINES = [
  `${OF_ADDRESS}${both(VERDICT, "(?:\\b(?:dports?|policy|hook|iif|iifname|saddr)\\b|[ :](?:INPUT|OUTPUT|PREROUTING)\\b)")}`,
  both("\\bqdisc\\b", "\\bnetem\\b"),
  both("\\bip link set\\b", " down\\b"),
  both("\\b(?:ip|route)\\b", "\\b(?:blackhole|unreachable|prohibit)\\b"),
  both("(?:socat|\\bnc\\b|sock)", `\\b(?:${SOCKET_VERBS}|enable (?:frontend|server|health|agent))\\b`),
  has("\\b(?:[Rr][Ee][Aa][Dd] [Ll][Oo][Cc][Kk]|[Uu][Nn][Ll][Oo][Cc][Kk] [Tt][Aa][Bb][Ll][Ee])"),
  both("\\b(?:mysql|mariadb-)admin\\b", "\\bshutdown\\b"),
  "[ \\t]*[\"']?/var/lib/zookeeper/",
  both("\\bzkCli", "\\b(?:deleteall|rmr|delete|setAcl|reconfig)\\b"),
];

/** What a line puts in the way of a unit. `together`: all lines that are run by the same, in their order. */
export function inTheWayOf(
  { text, by }: BootLine,
  together: readonly BootLine[],
  unit: string,
  { doors, peers }: Reach,
): InTheWay | undefined {
  const bare = text.replace(/(?:^|\s)#.*$/, "");
  return (
    filtered(bare, together, doors) ??
    routed(bare, peers) ??
    delayed(bare, doors) ??
    takenDown(bare, together, doors) ??
    TOLD[unit]?.(bare, together, by)
  );
}

// --- Packet filters ---

/** A command of a shell's, and what is before it. Lines of files of rules have none. */
const TOOL = /^(.*?)(?<![\w.-])(?:\S*\/)?(?:nft|ip6?tables(?:-nft|-legacy)?)(?=\s)/;
const DROPS = /\b(?:drop|reject)\b|(?:-j|--jump|-g|--goto)\s+(?:DROP|REJECT)\b/;
const SENDS = /\b(?:redirect|dnat|tproxy)\b|(?:-j|--jump)\s+(?:REDIRECT|DNAT|TPROXY)\b/;
const ACCEPTS = /\baccept\b|(?:-j|--jump)\s+ACCEPT\b/;
/** A chain that drops what nothing accepts. */
const DEFAULT_DROP =
  /\bhook\s+(?:input|output|ingress|prerouting)\b.*\bpolicy\s+drop\b|(?:-P|--policy)\s+(?:INPUT|OUTPUT)\s+DROP\b|^\s*:(?:INPUT|OUTPUT)\s+DROP\b/;
const POLICY = /\bpolicy\s+drop\b/;
const HOOK = /\bhook\s+(\w+)/;
/** A rule that asks for more than a port: for whom it holds is not told here. */
const ASKS_MORE =
  /\b(?:saddr|daddr|ct|limit|quota|meter|mark|tcp flags|iif|iifname|oif|oifname|fib|rt|meta)\b|(?:^|\s)(?:-s|-d|-i|-o|!|--(?:source|destination|in-interface|out-interface)|-m\s+(?!tcp\b|multiport\b|comment\b|udp\b)\S+)(?=\s)|[@$]/;
const LOOPBACK = /(?:-i|--in-interface|\biif(?:name)?|-o|\boif(?:name)?)\s+["']?lo\b/;
const OTHER_TABLE = /\bFORWARD\b|\bhook\s+(?:forward|postrouting)\b|\budp\b|\bicmp/;

function filtered(text: string, together: readonly BootLine[], doors: readonly Door[]): InTheWay | undefined {
  const [, before = ""] = TOOL.exec(text) ?? [];
  const isRule = !TOOL.test(text);
  if (isRule && !/^\s*(?:-A\s|:[A-Z]|(?:add\s|insert\s)|.*\b(?:dport|policy)\b)/.test(text)) return undefined;
  if (OTHER_TABLE.test(text)) return undefined;
  const at = together.findIndex((line) => line.text === text || line.text.startsWith(text));
  const others = together.map(({ text: each }) => each.replace(/(?:^|\s)#.*$/, ""));
  const found = { before, isRule, isSaid: false, lasts: true } as const;
  if (DEFAULT_DROP.test(text) || (POLICY.test(text) && hookAbove(others, at))) {
    const shut = doors.find((door) => !others.some((each) => mayAccept(each, door)));
    return shut && { ...found, does: `drops what comes to port ${shut.port} of` };
  }
  const isDrop = DROPS.test(text);
  if (!isDrop && !SENDS.test(text)) return undefined;
  const door = doors.find(({ port }) => namesPort(text, port));
  // Only what is decided before it gets past it; iptables' -I goes to the beginning.
  const passes = others.some(
    (each, index) => (index < at || /\s-I\s/.test(each)) && door !== undefined && mayAccept(each, door),
  );
  if (door === undefined || passes) return undefined;
  // Addresses and interfaces of others are nobody's business here.
  const isElsewhere = door.isLocal ? /(?:-i|iif(?:name)?)\s+["']?(?!lo\b)/.test(text) : LOOPBACK.test(text);
  if (isElsewhere) return undefined;
  const does = isDrop
    ? `drops what comes to port ${door.port} of`
    : `sends what goes to port ${door.port} elsewhere, away from`;
  return { ...found, does, isSaid: ASKS_MORE.test(text.slice(before.length)) };
}

/** Whether the chain whose policy stands on a line by itself is one that packets to this host pass. */
function hookAbove(others: readonly string[], at: number): boolean {
  const hook = others.slice(Math.max(0, at - 3), at).findLast((each) => HOOK.test(each));
  return /^(?:input|output|ingress|prerouting)$/.test(HOOK.exec(hook ?? "")?.[1] ?? "");
}

/** Whether a rule may let through what comes to a door: by its port, or by what is not understood. */
function mayAccept(text: string, door: Door): boolean {
  if (!ACCEPTS.test(text) || /\bpolicy\b|\bFORWARD\b/.test(text)) return false;
  if (/\budp\b|\bicmp/.test(text)) return false;
  if (/\bdports?\b/.test(text)) return namesPort(text, door.port) || /dports?\s+\S*[@$]/.test(text);
  if (LOOPBACK.test(text)) return door.isLocal;
  if (/\b(?:established|related|ESTABLISHED|RELATED)\b/.test(text)) return /\b(?:new|NEW)\b/.test(text);
  return true;
}

function namesPort(text: string, port: number): boolean {
  const [, given = ""] = /\bdports?\s+(?:==\s*)?(\{[^}]*\}|\S+)/.exec(text) ?? [];
  if (given === "" || /\bdports?\s+!=|!\s+--dports?\b/.test(text)) return false;
  return given.split(/[\s,{}"']+/).some((each) => {
    const [first = "", last = first] = each.split(/[-:]/);
    return /^\d+$/.test(first) && /^\d+$/.test(last) && Number(first) <= port && port <= Number(last);
  });
}

// --- Routes ---

function routed(text: string, peers: readonly string[]): InTheWay | undefined {
  const [, before = "", target = ""] =
    /^(.*?)\b(?:ip\s+(?:-\S+\s+)*(?:route|ro?)\s+(?:add|replace|append|prepend)\s+(?:blackhole|unreachable|prohibit)|route\s+add\s+-(?:host|net)(?=.*\breject\b))\s+(\S+)/.exec(
      text,
    ) ?? [];
  const peer = peers.find((each) => covers(target, each));
  if (peer === undefined) return undefined;
  return { does: `leaves no route to ${peer}, a peer of`, before, isSaid: false, lasts: true };
}

function covers(target: string, address: string): boolean {
  const [net = "", length] = target.split("/");
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const list = new BlockList();
  try {
    if (length === undefined) list.addAddress(net, family);
    else list.addSubnet(net, Number(length), family);
  } catch {
    return false;
  }
  return list.check(address, family);
}

/** Those of containers and of virtual machines are not the mesh's. */
const GUESTS = /\bdev\s+(?:veth|tap|tun|vnet|docker|br-|ifb|virbr|wg|cali|cni)/;

function delayed(text: string, doors: readonly Door[]): InTheWay | undefined {
  const [, before] = /^(.*?)\btc\s.*\bqdisc\s+(?:add|replace|change).*\bnetem\b/.exec(text) ?? [];
  if (before === undefined || doors.length === 0 || GUESTS.test(text)) return undefined;
  return { does: "delays or loses packets (netem) of", before, isSaid: false, lasts: true };
}

/** Which interface is the mesh's is not told here. */
const REAL = /^(?:host|eth|en|wl|bond|br)\w*\d/;

function takenDown(
  text: string,
  together: readonly BootLine[],
  doors: readonly Door[],
): InTheWay | undefined {
  const [, before = "", name = ""] = /^(.*?)\bip\s+link\s+set\s+(?:dev\s+)?(\S+)\s+down\b/.exec(text) ?? [];
  if (!REAL.test(name) || doors.every(({ isLocal }) => isLocal)) return undefined;
  const isBack = together.some((line) =>
    new RegExp(`\\bset\\s+(?:dev\\s+)?${name}\\b.*\\bup\\b`).test(line.text),
  );
  return isBack
    ? undefined
    : { does: `takes the interface ${name} away from`, before, isSaid: true, lasts: true };
}

// --- What a service is told by its own socket or client ---

const TOLD: Readonly<
  Record<string, (text: string, together: readonly BootLine[], by: string) => InTheWay | undefined>
> = {
  "haproxy.service": bySocket,
  "mariadb.service": byClient,
  "mysql.service": byClient,
  "zookeeper.service": byRegistry,
};

function bySocket(text: string, together: readonly BootLine[]): InTheWay | undefined {
  if (!/\bsocat\b|\bnc\b|\.sock\b/.test(text)) return undefined;
  const [, before = "", said = ""] = new RegExp(`^(.*?)\\b(${SOCKET_VERBS})\\b`).exec(text) ?? [];
  if (said === "") return undefined;
  // A deployment takes its server out and puts it back.
  const isUndone =
    said.startsWith("disable ") &&
    together.some((line) => line.text.includes(said.replace("disable", "enable")));
  if (isUndone) return undefined;
  const command = before.replace(/(?:echo|printf)\s+(?:-\w+\s+)*["']?\s*$/, "");
  return { does: `says "${said}" to the socket of`, before: command, isSaid: false, lasts: true };
}

function byClient(text: string, together: readonly BootLine[]): InTheWay | undefined {
  const [, before] = /^(.*?)\b(?:mysql|mariadb-)admin\b.*\bshutdown\b/.exec(text) ?? [];
  if (before !== undefined) {
    const isStarted = together.some((line) => /\b(?:start|restart)\b/.test(line.text));
    return isStarted
      ? undefined
      : { does: "shuts down", before, isSaid: /\s(?:-h|--host)/.test(text), lasts: true };
  }
  const [, variable = ""] =
    /\bSET\s+(?:GLOBAL\s+|@@global\.)((?:super_)?read_only|offline_mode)\s*:?=\s*(?:1|ON|TRUE)\b/i.exec(
      text,
    ) ?? [];
  if (variable !== "") {
    const back = new RegExp(`\\b${variable}\\s*:?=\\s*(?:0|OFF|FALSE)\\b`, "i");
    // Who manages replicas does so.
    return together.some((line) => back.test(line.text))
      ? undefined
      : { does: `sets ${variable} of`, before: "", isSaid: true, lasts: true };
  }
  if (!/\bFLUSH\s+(?:LOCAL\s+|NO_WRITE_TO_BINLOG\s+)?TABLES\s+WITH\s+READ\s+LOCK\b/i.test(text))
    return undefined;
  if (together.some((line) => /\bUNLOCK\s+TABLES\b/i.test(line.text))) return undefined;
  // It is gone with its session, which may last.
  return { does: "takes the read lock of all tables of", before: "", isSaid: true, lasts: true };
}

/** ZooKeeper's log of transactions is data: what is renamed or compressed is lost to the next start. */
function rotated(text: string, by: string): InTheWay | undefined {
  const [, path] = /^\s*["']?(\/var\/lib\/zookeeper\/[^\s"'{]*)/.exec(text) ?? [];
  if (by !== "logrotate" || path === undefined || /\.(?:log|out)$/.test(path)) return undefined;
  return { does: `rotates away ${path}, data of`, before: "", isSaid: false, isRule: true, lasts: true };
}

function byRegistry(text: string, _: readonly BootLine[], by: string): InTheWay | undefined {
  const [, before, verb] = /^(.*?)\bzkCli\S*\s.*\b(deleteall|rmr|delete|setAcl|reconfig)\b/.exec(text) ?? [];
  return before === undefined
    ? rotated(text, by)
    : { does: `says "${verb}" to the registry of`, before, isSaid: false, lasts: true };
}
