import { BlockList, isIPv6 } from "node:net";
import type { BootLine } from "./boot-lines.ts";

/** Where others reach a service. */
interface Door {
  readonly port: number;
  /** On the loopback interface alone. */
  readonly isLocal: boolean;
  /** Of the addresses by which it is reached, where they are all of one. */
  readonly family?: Family | undefined;
}

type Family = "ip" | "ip6";

/** The family that all of the addresses have; undefined where there are several, or "::", which takes both. */
export function familyOf(addresses: readonly string[]): Family | undefined {
  const found = new Set(addresses.map((each) => (each === "::" ? undefined : isIPv6(each) ? "ip6" : "ip")));
  return found.size === 1 ? [...found][0] : undefined;
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
  "ip link set",
  ..."hook jump goto vmap INPUT netem blackhole unreachable prohibit socat sock LOCK lock UNLOCK unlock mysqladmin mariadb-admin zkCli".split(
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
  // What may let packets in: a chain that is asked, the end of a list or of such a chain.
  has("\\b(?:jump|goto|vmap)\\b"),
  both("-[AI] INPUT\\b", `\\s(?:-j|-g|--jump|--goto)\\s+(?!${FINAL}|LOG\\b)`),
  has("\\baccept[\\s;}]*(?:$|comment\\b)"),
  both("\\bqdisc\\b", "\\bnetem\\b"),
  has("\\bip link set\\b"),
  both("\\b(?:ip|route)\\b", "\\b(?:blackhole|unreachable|prohibit)\\b"),
  both("(?:socat|\\bnc\\b|sock)", `\\b(?:${SOCKET_VERBS}|enable (?:frontend|server|health|agent))\\b`),
  has("\\b(?:[Rr][Ee][Aa][Dd] [Ll][Oo][Cc][Kk]|[Uu][Nn][Ll][Oo][Cc][Kk] [Tt][Aa][Bb][Ll][Ee])"),
  both("\\b(?:mysql|mariadb-)admin\\b", "\\bshutdown\\b"),
  "[ \\t]*[\"']?/var/lib/zookeeper/",
  both("\\bzkCli", "\\b(?:deleteall|rmr|delete|setAcl|reconfig)\\b"),
];

/** What a line puts in the way of a unit. `together`: those of `all` lines that are run by the same, in their order. */
export function inTheWayOf(
  line: BootLine,
  together: readonly BootLine[],
  unit: string,
  { doors, peers }: Reach,
  all: readonly BootLine[] = together,
): InTheWay | undefined {
  const { text, by } = line;
  const bare = withoutComment(text);
  return (
    filtered(bare, line, together, doors, all) ??
    routed(bare, peers) ??
    delayed(bare, doors) ??
    takenDown(bare, together, doors) ??
    TOLD[unit]?.(bare, together, by)
  );
}

// --- Packet filters ---

/** A command of a shell's, and what is before it. Lines of files of rules have none. */
const TOOL =
  /^(.*?)(?<![\w.-])(?:(?:\S*\/)?(?:nft|ip6?tables(?:-nft|-legacy)?)|["']?\$\{?\w*(?:IPT|ipt|NFT|nft)\w*\}?["']?)(?=\s)/;
/** What takes a rule away or asks for one, with the sign behind it. */
const NO_RULE =
  /(?<![\w.-])\S*ip6?tables\S*\s(?:[^;&|]*\s)?(?:-[DC]|--delete|--check)\s(?:>&|[^;&|])*(?:;|&&|\|\|)?\s*/g;
const DROPS = /\b(?:drop|reject)\b|(?:-j|--jump|-g|--goto)\s+(?:DROP|REJECT)\b/;
const SENDS = /\b(?:redirect|dnat|tproxy)\b|(?:-j|--jump)\s+(?:REDIRECT|DNAT|TPROXY)\b/;
const ACCEPTS = /\baccept\b|(?:-j|--jump)\s+ACCEPT\b/;
/** A chain that drops what nothing accepts. */
const DEFAULT_DROP =
  /\bhook\s+(?:input|output|ingress|prerouting)\b.*\bpolicy\s+drop\b|(?:-P|--policy)\s+(?:INPUT|OUTPUT)\s+DROP\b|^\s*:(?:INPUT|OUTPUT)\s+DROP\b/;
const DROPS_ALL =
  /-[AI]\s+INPUT\s+(?:\d+\s+)?(?:-p\s+(?:tcp|all)\s+)?(?:-m\s+tcp\s+)?(?:-j|--jump)\s+(?:DROP|REJECT)\b/;
const POLICY = /\bpolicy\s+drop\b/;
const HOOK = /\bhook\s+(\w+)/;
/** A rule that asks for more than a port: for whom it holds is not told here. */
const ASKS_MORE =
  /\b(?:saddr|daddr|ct|limit|quota|meter|mark|tcp flags|iif|iifname|oif|oifname|fib|rt|meta)\b|(?:^|\s)(?:-s|-d|-i|-o|!|--(?:source|destination|in-interface|out-interface)|-m\s+(?!tcp\b|multiport\b|comment\b|udp\b)\S+)(?=\s)|[@$]/;
/** How rules of iptables-save's and nft's begin. */
const RULE =
  /^\s*(?:-A\s|:[A-Z]|[{}]|(?:add|insert|replace|table|chain|type|policy|tcp|th|ip6?|inet|meta|ct|(?:iif|oif)(?:name)?|counter|log|limit)\s)/;
const SAID = /(?:^|[;&|(\s])(?:echo|printf|logger)\s[^;&|]*$/;
/** Where other rules decide, which are not followed. */
const PASSES =
  /\b(?:jump|goto|vmap)\b|(?:-j|--jump|-g|--goto)\s+(?!(?:DROP|REJECT|(?:NF)?LOG|RETURN|ACCEPT|SET|(?:CONN)?MARK)\b|f2b-|sshguard)\S/;
const LOOPBACK = /(?:-i|--in-interface|\biif(?:name)?|-o|\boif(?:name)?)\s+["']?lo\b/;
const NO_LOOPBACK = /!\s+(?:-i|--in-interface)\s+lo\b/;
const OTHER_TABLE = /\bFORWARD\b|\bhook\s+(?:forward|postrouting)\b|\budp\b|\bicmp/;

/** The one that a rule is about; undefined of both, or where its line does not tell. */
function familyIn({ text, path }: BootLine): Family | undefined {
  const named = [...text.matchAll(/\bip(6?)tables\b|\b(?:rule|chain)\s+ip(6?)\s/g)];
  const signs = new Set(named.map(([, tool, table]) => tool ?? table));
  if (signs.size > 1) return undefined;
  const [sign = /\/rules\.v(4|6)$/.exec(path)?.[1]] = signs;
  if (sign === undefined) return undefined;
  return sign === "6" ? "ip6" : "ip";
}

function isOther(one: Family | undefined, other: Family | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** With one way of writing for what has several, and without what a refusal answers. */
function plain(text: string): string {
  return text
    .replaceAll(/["']/g, " ")
    .replaceAll(/--reject-with\s+\S+|(?<=\breject\s+)with\s+icmp\w*(?:\s+type)?\s+\S+/g, "")
    .replaceAll(/(--[a-z-]+)=/g, "$1 ")
    .replaceAll(/--(?:destination-)?ports?(?=\s)/g, "--dports");
}

function withoutComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, "");
}

function filtered(
  text: string,
  line: BootLine,
  together: readonly BootLine[],
  allDoors: readonly Door[],
  all: readonly BootLine[],
): InTheWay | undefined {
  const given = text.replace(NO_RULE, "");
  const [, before = ""] = TOOL.exec(given) ?? [];
  const isRule = !TOOL.test(given);
  const said = plain(given);
  if (isRule && !RULE.test(said)) return undefined;
  if (/\b(?:delete|destroy)\s/.test(said) || SAID.test(before)) return undefined;
  if (OTHER_TABLE.test(said)) return undefined;
  const isDrop = DROPS.test(said);
  const isDefault = DEFAULT_DROP.test(said);
  const isPolicy = POLICY.test(said);
  const isAll = DROPS_ALL.test(said);
  if (!isDrop && !isDefault && !isPolicy && !isAll && !SENDS.test(said)) return undefined;
  const family = familyIn(line);
  const doors = allDoors.filter((door) => !isOther(door.family, family));
  const door = doors.find(({ port }) => namesPort(said, port));
  // All others are read only for a line that is about a door: hosts have lists of a thousand.
  if (!isDefault && !isPolicy && !isAll && door === undefined) return undefined;
  const same = together.filter((each) => each === line || !isOther(familyIn(each), family));
  const at = same.indexOf(line);
  const others = same.map((each) => plain(withoutComment(each.text)));
  const found = { before, isRule, isSaid: false, lasts: true } as const;
  // What lets it in elsewhere comes before this or behind it: that is not told.
  const dropped = (door: Door): InTheWay => ({
    ...found,
    does: `drops what comes to port ${door.port} of`,
    isSaid: all.some(({ by, text: each }) => by !== line.by && opens(plain(withoutComment(each)), door)),
  });
  if (isDefault || (isPolicy && hookAbove(others, at))) {
    const isOpened = others.some(
      (each, index) => index > at && /^\S.*\s(?:-P|--policy)\s+INPUT\s+ACCEPT\b/.test(each),
    );
    const shut = isOpened ? undefined : doors.find((door) => !others.some((each) => mayAccept(each, door)));
    return shut && dropped(shut);
  }
  // Only what is decided before it gets past it; iptables' -I goes to the beginning.
  const earlier = others.filter((each, index) => index < at || /\s-I\s/.test(each));
  if (isAll) {
    const shut = doors.find((each) => !earlier.some((other) => mayAccept(other, each)));
    return shut && dropped(shut);
  }
  const passes = door !== undefined && earlier.some((each) => mayAccept(each, door));
  if (door === undefined || passes) return undefined;
  // Addresses and interfaces of others are nobody's business here.
  const isOutside = NO_LOOPBACK.test(said);
  const isElsewhere = door.isLocal
    ? isOutside || /(?:-i|iif(?:name)?)\s+(?!lo\b)/.test(said)
    : LOOPBACK.test(said) && !isOutside;
  if (isElsewhere) return undefined;
  const does = isDrop
    ? `drops what comes to port ${door.port} of`
    : `sends what goes to port ${door.port} elsewhere, away from`;
  return { ...found, does, isSaid: ASKS_MORE.test(plain(given.slice(before.length)).replace(TOOL, "")) };
}

/** Whether the chain whose policy stands on a line by itself is one that packets to this host pass. */
function hookAbove(others: readonly string[], at: number): boolean {
  const hook = others.slice(Math.max(0, at - 3), at).findLast((each) => HOOK.test(each));
  return /^(?:input|output|ingress|prerouting)$/.test(HOOK.exec(hook ?? "")?.[1] ?? "");
}

/** Whether a rule lets in what comes to a door, and says so by its port. */
function opens(text: string, door: Door): boolean {
  return mayAccept(text, door) && namesPort(text, door.port);
}

/** Whether a rule may let through what comes to a door: by its port, or by what is not understood. */
function mayAccept(text: string, door: Door): boolean {
  if (!(ACCEPTS.test(text) || PASSES.test(text)) || /\bpolicy\b|\bFORWARD\b/.test(text)) return false;
  if (/\budp\b|\bicmp/.test(text)) return false;
  if (/\bdports?\b/.test(text))
    return namesPort(text, door.port) || /dports?\s+(?:\S*[@$]|vmap\b|[<>!]|\{\s*$)/.test(text);
  if (LOOPBACK.test(text)) return door.isLocal;
  if (/\b(?:established|related|ESTABLISHED|RELATED)\b/.test(text)) return /\b(?:new|NEW)\b/.test(text);
  return true;
}

/** Ports by the names of /etc/services that rules have. */
const NAMED_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  mysql: 3306,
  postgresql: 5432,
  "http-alt": 8080,
};

function namesPort(text: string, port: number): boolean {
  const [, given = ""] = /\bdports?\s+(?:==\s*)?(\{[^}]*\}|\S+)/.exec(text) ?? [];
  if (given === "" || /\bdports?\s+!=|!\s+--dports?\b/.test(text)) return false;
  return given.split(/[\s,{}"']+/).some((each) => {
    const named = NAMED_PORTS[each];
    if (named !== undefined) return named === port;
    const [, first = "", sign, last = ""] = /^(\d*)(?:([-:])(\d*))?$/.exec(each) ?? [];
    if (sign === undefined) return first !== "" && Number(first) === port;
    return each !== sign && Number(first) <= port && port <= Number(last || 65_535);
  });
}

// --- Routes ---

function routed(text: string, peers: readonly string[]): InTheWay | undefined {
  const [, before = "", target = ""] =
    /^(.*?)\b(?:ip\s+(?:-\S+\s+)*ro?(?:ute?)?\s+(?:a|add|replace|append|prepend)\s+(?:to\s+)?(?:blackhole|unreachable|prohibit)(?:\s+to)?|route\s+add\s+-(?:host|net)(?=.*\breject\b))\s+(\S+)/.exec(
      text,
    ) ?? [];
  const peer = peers.find((each) => covers(target, each));
  // Another table's, or one that any other route wins over.
  if (peer === undefined || /\s(?:table|vrf|metric|preference)\s/.test(text)) return undefined;
  // A network as wide as this holds narrower ones, whose routes win.
  const isWide = Number(target.split("/")[1] ?? 128) < (target.includes(":") ? 64 : 24);
  return { does: `leaves no route to ${peer}, a peer of`, before, isSaid: isWide, lasts: true };
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
  const [, before = "", first, name = first ?? ""] =
    /^(.*?)\bip\s+link\s+set\s+(?:(?:dev\s+)?(\S+)\s+down\b|down\s+(?:dev\s+)?(\S+))/.exec(text) ?? [];
  if (!REAL.test(name) || doors.every(({ isLocal }) => isLocal)) return undefined;
  const isBack = together.some((line) =>
    new RegExp(
      `\\bset\\s+(?:up\\s+(?:dev\\s+)?${name}\\b|(?:dev\\s+)?${name}\\b.*\\b(?:up|name|master)\\b)`,
    ).test(line.text),
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
  const isUndone = said.startsWith("disable ")
    ? together.some((line) => line.text.includes(said.replace("disable", "enable")))
    : /\bstate (?:ready|drain|maint)\b/.test(text) &&
      together.some((line) => /\bset server\b.*\bstate ready\b/.test(line.text));
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
  const [, before, verb = "", rest = ""] =
    /^(.*?)\bzkCli\S*\s.*\b(deleteall|rmr|delete|setAcl|reconfig)\b(.*)/.exec(text) ?? [];
  if (before === undefined) return rotated(text, by);
  // One node, or what lies deeper, may be another program's: its locks, its queue.
  const isSaid = verb === "delete" || (verb !== "reconfig" && /\s["']?\/[^\s/]+\/[^\s/]/.test(rest));
  return { does: `says "${verb}" to the registry of`, before, isSaid, lasts: true };
}
