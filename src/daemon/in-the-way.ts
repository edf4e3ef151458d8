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
/** How addresses begin that a mesh has, and lists of attackers have not. */
const PRIVATE =
  "(?:10\\.|127\\.|192\\.168\\.|172\\.(?:1[6-9]|2\\d|3[01])\\.|100\\.(?:6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])\\.|198\\.1[89]\\.)";

/** One of these stands in each of the lines below. */
export const WAY_WORDS = [
  ...`${FINAL}|accept|ACCEPT`.split("|"),
  "/var/lib/zookeeper",
  "ip link set",
  ..."hook jump goto vmap INPUT input netem tbf htb police blackhole unreachable prohibit socat sock LOCK lock UNLOCK unlock zkCli".split(
    " ",
  ),
  ..."ifdown ifup ifconfig nmcli networkctl ufw firewall-cmd".split(" "),
  ...[
    "disable ",
    "enable ",
    "shutdown ",
    "set maxconn",
    "set rate-limit",
    "set weight",
    "set server",
    "del server",
  ],
  ...["PORT=", "PORTS=", "port=", "ports=", "for p in ", "for port in ", "for PORT in "],
];
/** Each part is looked for once in a line: hosts have files of one long line. */
const has = (what: string) => `(?=.*?${what})`;
const both = (one: string, other: string) => `${has(one)}${has(other)}`;
const VERDICT = `(?:\\b|\\s-[jg])(?:${FINAL}|accept|ACCEPT|hook)\\b`;
/** A list of addresses that are shut out is nobody's door, unless the mesh may have them. */
const OF_ADDRESS = `(?!${has(`(?:saddr|-s)\\s{1,9}(?!["'{ ]{0,3}${PRIVATE})["']?[\\d{]`)}${has(`\\b(?:${FINAL})\\b`)})`;
/** Lines of a packet filter, a route, a socket or a client. */
export const WAY_LINES = [
  `${OF_ADDRESS}${both(VERDICT, "(?:\\b(?:[ds]ports?|policy|hook|iif|iifname|saddr|input)\\b|\\s-s\\s|[ :](?:INPUT|OUTPUT|PREROUTING)\\b)")}`,
  // What may let packets in: a chain that is asked, the end of a list or of such a chain.
  has("\\b(?:jump|goto|vmap)\\b"),
  both("-[AI] INPUT\\b", `\\s(?:-j|-g|--jump|--goto)\\s+(?!${FINAL}|LOG\\b)`),
  has("\\baccept[\\s;}]*(?:$|comment\\b)"),
  both("\\btc\\s", "\\b(?:netem|tbf|htb|police)\\b"),
  has("\\b(?:ip link set|ifdown|ifup)\\b"),
  both("\\b(?:ifconfig|nmcli|networkctl)\\b", "\\b(?:down|disconnect|up|connect)\\b"),
  both("\\b(?:ufw|firewall-cmd)\\b", "\\b(?:deny|reject|drop|block|panic-on|remove-\\w+|allow|add-\\w+)\\b"),
  // Ports that a rule names by a variable.
  "[ \\t]*(?:export |readonly |local )?\\w*[pP][oO][rR][tT][sS]?=[\"']?[\\d ,:-]+[\"']?[ \\t]*(?:[;#]|$)",
  "[ \\t]*for [pP]\\w* in [\\d ,:\"'-]+",
  both("\\b(?:ip|route)\\b", "\\b(?:blackhole|unreachable|prohibit)\\b"),
  both("(?:socat|\\bnc\\b|sock)", `\\b(?:${SOCKET_VERBS}|enable (?:frontend|server|health|agent))\\b`),
  // Of a text that is sent: the verbs and the socket stand in lines of their own.
  `[ \\t]*["']?(?:${SOCKET_VERBS}|enable (?:frontend|server|health|agent))\\b`,
  has("haproxy[\\w./-]{0,40}\\.sock\\b"),
  has("\\b(?:[Rr][Ee][Aa][Dd] [Ll][Oo][Cc][Kk]|[Uu][Nn][Ll][Oo][Cc][Kk] [Tt][Aa][Bb][Ll][Ee])"),
  both("\\b(?:mysql|mariadb)(?:-?admin)?\\b", "\\b[Ss][Hh][Uu][Tt][Dd][Oo][Ww][Nn]\\b"),
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
  const bare = withoutComment(line.text);
  return (
    filtered(bare, line, together, { doors, peers }, all) ??
    byFrontEnd(bare, line, together, doors) ??
    routed(bare, doors, peers) ??
    delayed(bare, doors) ??
    takenDown(bare, together, doors) ??
    TOLD[unit]?.(bare, together, line)
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
/** A rule of the chain that all packets to this host pass, and what it asks for. */
const OF_ALL = /(?:-[AI]\s+INPUT|\brule\s+(?:(?:ip6?|inet)\s+)?\S+\s+(?:input|INPUT))\s(.*)/;
/** What leaves a rule about all packets that begin a connection, or all of an interface. */
const OF_ANY = new RegExp(
  [
    "^\\s*\\d+\\s",
    "(?:-w|-4|-6|-m\\s+(?:tcp|state|conntrack|comment)|--comment\\s+\\S+|--syn|counter|packets\\s+\\d+|bytes\\s+\\d+)(?=\\s)",
    "-p\\s+(?:tcp|all)(?=\\s)|meta\\s+l4proto\\s+tcp|ip\\s+protocol\\s+tcp|tcp\\s+flags\\s+syn",
    "(?:--(?:ct)?state|ct\\s+state)\\s+\\S*(?:NEW|new)\\S*",
    "(?:-i|--in-interface|iif(?:name)?)\\s+(?!lo\\b)\\S+",
    "(?:-j|--jump)\\s+(?:DROP|REJECT)|\\b(?:drop|reject)\\b",
    "[;}\\s]+$|\\d?>\\S+|&\\d?",
  ].join("|"),
  "g",
);
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
    .replaceAll(/(?<=\s-[jg])(?=[A-Z])/g, " ")
    .replaceAll(/(--[a-z-]+)=/g, "$1 ")
    .replaceAll(/--(?:destination-)?ports?(?=\s)/g, "--dports");
}

/** A rule that a shell hands to a program which loads it, and what is before it. */
const HANDED =
  /^(.*?)\b(?:echo|printf)\s+(?:-\w+\s+)*["']?(.*?)["']?\s*\|\s*(?:sudo\s+)?(?:\S*\/)?(?:ip6?tables(?:-nft|-legacy)?-restore|nft)\b/;

/** A rule as it drops: what comes from a port is an answer of that port's, and of a map the ports that it drops. */
function dropping(said: string): string {
  return said
    .replaceAll(/--(?:source-port|sports?)(?=\s)/g, "--dports")
    .replaceAll(/\bsport\b/g, "dport")
    .replaceAll(/\bdport\s+vmap\s*\{([^}]*)\}/g, (all, pairs: string) => {
      const ports = pairs
        .split(",")
        .flatMap((pair) => /^\s*([\d-]+)\s*:\s*(?:drop|reject)\b/.exec(pair)?.[1] ?? []);
      return ports.length === 0 ? all : `dport { ${ports.join(" ")} } drop`;
    });
}

/** With the ports that variables hold, as far as lines of the same file tell: one may hold more than they do. */
function withPorts(said: string, line: BootLine, together: readonly BootLine[]): string {
  return said.replaceAll(/(\bdports?\s+)\$\{?(\w+)\}?/g, (all, named: string, variable: string) => {
    const held = together.flatMap(({ path, text }) => {
      const [, value] =
        path === line.path
          ? (new RegExp(`\\b${variable}(?:=|\\s+in\\s)["']?([\\d][\\d ,:-]*)`).exec(text) ?? [])
          : [];
      return value === undefined ? [] : [value.replaceAll(/[\s,]+/g, " ").trim()];
    });
    return held.length === 0 ? all : `${named}{ ${held.join(" ")} }`;
  });
}

function withoutComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, "");
}

function filtered(
  text: string,
  line: BootLine,
  together: readonly BootLine[],
  { doors: allDoors, peers }: Reach,
  all: readonly BootLine[],
): InTheWay | undefined {
  const given = text.replace(NO_RULE, "");
  const [, told, handed] = HANDED.exec(given) ?? [];
  const before = told ?? TOOL.exec(given)?.[1] ?? "";
  const isRule = handed === undefined && !TOOL.test(given);
  const rule = plain(handed ?? given);
  if (isRule && !RULE.test(rule)) return undefined;
  if (/\b(?:delete|destroy)\s/.test(rule) || SAID.test(before)) return undefined;
  if (OTHER_TABLE.test(rule)) return undefined;
  const isDrop = DROPS.test(rule);
  const isDefault = DEFAULT_DROP.test(rule);
  const isPolicy = POLICY.test(rule);
  if (!isDrop && !isDefault && !isPolicy && !SENDS.test(rule)) return undefined;
  const said = withPorts(isDrop ? dropping(rule) : rule, line, together);
  const family = familyIn(line);
  const doors = allDoors.filter((door) => !isOther(door.family, family));
  const door = doors.find(({ port }) => namesPort(said, port));
  const isAll = isDrop && OF_ALL.exec(said)?.[1]?.replaceAll(OF_ANY, "").trim() === "";
  // Who is shut out after failed logins is so from the port of those.
  const isOfLogins = /-[AI]\s+(?:f2b-|sshguard|fail2ban)/.test(said);
  const peer = isDrop && !isOfLogins && !/\bdports?\b/.test(said) ? peerIn(said, peers) : undefined;
  const isUnknown = isDrop && door === undefined && /\bdports?\s+\S*\$/.test(said);
  // All others are read only for a line that is about a door: hosts have lists of a thousand.
  if (!isDefault && !isPolicy && !isAll && !isUnknown && door === undefined && peer === undefined)
    return undefined;
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
  // ufw's files are chains of their own, each asked before the next.
  const earlier = others.filter(
    (each, index) =>
      (index < at || /\s-I\s/.test(each)) && (line.by !== "ufw" || same[index]!.path === line.path),
  );
  const isShut = (each: Door) => !earlier.some((other) => mayAccept(other, each));
  const isOfInterface = /(?:-i|--in-interface|\biif(?:name)?)\s/.test(said);
  if (isAll) {
    const shut = doors.find((each) => !(isOfInterface && each.isLocal) && isShut(each));
    return shut && { ...dropped(shut), ...(isOfInterface ? { isSaid: true } : {}) };
  }
  if (peer !== undefined)
    return doors.some(isShut)
      ? {
          ...found,
          does: `drops what comes from ${peer.address}, a peer of`,
          isSaid:
            peer.isWide ||
            asksMore(said.replace(ADDRESSES, " ")) ||
            // Whether a chain of its own is asked is not told.
            /-[AI]\s+(?!(?:INPUT|OUTPUT|PREROUTING)\b)/.test(said),
        }
      : undefined;
  if (isUnknown)
    return doors.some((each) => !each.isLocal && isShut(each))
      ? { ...found, does: "drops what comes to a port that is not told here, perhaps one of", isSaid: true }
      : undefined;
  if (door === undefined || !isShut(door)) return undefined;
  // Addresses and interfaces of others are nobody's business here.
  const isOutside = NO_LOOPBACK.test(said);
  const isElsewhere = door.isLocal
    ? isOutside || /(?:-i|iif(?:name)?)\s+(?!lo\b)/.test(said)
    : LOOPBACK.test(said) && !isOutside;
  if (isElsewhere) return undefined;
  const does = isDrop
    ? `drops what comes to port ${door.port} of`
    : `sends what goes to port ${door.port} elsewhere, away from`;
  return { ...found, does, isSaid: asksMore(said.slice(handed === undefined ? plain(before).length : 0)) };
}

const ADDRESSES = /(?:^|\s)(?:-s|-d|--source|--destination|saddr|daddr)\s+(\{[^}]*\}|\S+)/;

function asksMore(said: string): boolean {
  return ASKS_MORE.test(said.replace(TOOL, ""));
}

/** The peer that a rule is about by its address. */
function peerIn(
  said: string,
  peers: readonly string[],
): { readonly address: string; readonly isWide: boolean } | undefined {
  const [, given = ""] = ADDRESSES.exec(said) ?? [];
  for (const target of given.split(/[\s,{}]+/).filter(Boolean)) {
    const address = peers.find((each) => covers(target, each));
    if (address !== undefined && !/!\s*(?:-s|-d|--source|--destination)\s/.test(said))
      return { address, isWide: isWide(target) };
  }
  return undefined;
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

function routed(text: string, doors: readonly Door[], peers: readonly string[]): InTheWay | undefined {
  const [, ahead = "", rule] =
    /^(.*?)\bip\s+(?:-\S+\s+)*ru(?:le)?\s+a(?:dd)?\s(.*\b(?:blackhole|unreachable|prohibit)\b.*)/.exec(
      text,
    ) ?? [];
  if (rule !== undefined) return ruledOut(rule, ahead, doors, peers);
  const [, before = "", target = ""] =
    /^(.*?)\b(?:ip\s+(?:-\S+\s+)*ro?(?:ute?)?\s+(?:a|add|replace|append|prepend)\s+(?:to\s+)?(?:blackhole|unreachable|prohibit)(?:\s+to)?|route\s+add\s+-(?:host|net)(?=.*\breject\b))\s+(\S+)/.exec(
      text,
    ) ?? [];
  const peer = peers.find((each) => covers(target, each));
  // Another table's, or one that any other route wins over.
  if (peer === undefined || /\s(?:table|vrf|metric|preference)\s/.test(text)) return undefined;
  // A network as wide as this holds narrower ones, whose routes win.
  return { does: `leaves no route to ${peer}, a peer of`, before, isSaid: isWide(target), lasts: true };
}

/** What a rule of routes refuses: a port, an address, or all that comes to it. */
function ruledOut(
  rule: string,
  before: string,
  doors: readonly Door[],
  peers: readonly string[],
): InTheWay | undefined {
  const found = {
    before,
    isSaid: /\b(?:fwmark|iif|oif|tos|uidrange|not)\b/.test(rule),
    lasts: true,
  } as const;
  if (/\bipproto\s+(?!tcp|6\b)/.test(rule)) return undefined;
  const addresses = [...rule.matchAll(/\b(?:from|to)\s+(\S+)/g)].flatMap(([, each]) =>
    each === "all" ? [] : [each!],
  );
  const peer = peers.find((each) => addresses.some((target) => covers(target, each)));
  if (peer !== undefined) return { ...found, does: `leaves no route to ${peer}, a peer of` };
  if (addresses.length > 0 || (found.isSaid && !/\bdport\b/.test(rule))) return undefined;
  const door = doors.find(({ port }) => namesPort(rule, port));
  if (door !== undefined) return { ...found, does: `drops what comes to port ${door.port} of` };
  return /\b[sd]port\b/.test(rule) || doors.length === 0
    ? undefined
    : { ...found, does: "leaves no route for what comes to it, away from", isSaid: true };
}

/** Whether a network holds so many that it is hardly meant for one. */
function isWide(target: string): boolean {
  return Number(target.split("/")[1] ?? 128) < (target.includes(":") ? 64 : 24);
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

/** Bits in a second: less is felt by any service. */
const LEAST_RATE = 10e6;
const RATES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function delayed(text: string, doors: readonly Door[]): InTheWay | undefined {
  if (doors.length === 0 || GUESTS.test(text)) return undefined;
  const [, before] = /^(.*?)\btc\s.*\bqdisc\s+(?:add|replace|change).*\bnetem\b/.exec(text) ?? [];
  if (before !== undefined)
    return { does: "delays or loses packets (netem) of", before, isSaid: false, lasts: true };
  const [, ahead = "", rate = "", unit = ""] =
    /^(.*?)\btc\s.*\b(?:add|replace|change)\b.*\b(?:tbf|htb|police)\b.*\brate\s+([\d.]+)([kmgt]?)i?bit\b/i.exec(
      text,
    ) ?? [];
  // A class may take what others leave.
  if (rate === "" || /\bceil\b/.test(text) || Number(rate) * RATES[unit.toLowerCase()]! >= LEAST_RATE)
    return undefined;
  return { does: `lets ${rate}${unit}bit a second through for`, before: ahead, isSaid: true, lasts: true };
}

/** Which interface is the mesh's is not told here. */
const REAL = /^(?:host|eth|en|wl|bond|br)\w*\d/;

function takenDown(
  text: string,
  together: readonly BootLine[],
  doors: readonly Door[],
): InTheWay | undefined {
  const [, before = "", ...names] =
    /^(.*?)\b(?:ip\s+link\s+set\s+(?:(?:dev\s+)?(\S+)\s+down\b|down\s+(?:dev\s+)?(\S+))|ifdown\s+(?:-\S+\s+)*([\w@.:-]+)|ifconfig\s+(\S+)\s+down\b|(?:nmcli\s+(?:-\S+\s+)*\w+\s+(?:down|disconnect)|networkctl\s+down)\s+(?:(?:id|ifname|uuid)\s+)?(\S+))/.exec(
      text,
    ) ?? [];
  const name = names.find((each) => each !== undefined);
  // NetworkManager's connections have names of their own.
  const isReal =
    name !== undefined && (REAL.test(name) || /\bnmcli\b/.test(text) || /^(?:-a|all|--all)$/.test(name));
  if (!isReal || doors.every(({ isLocal }) => isLocal)) return undefined;
  const it = name.replaceAll(/[^\w]/g, "\\$&");
  const back = new RegExp(
    `\\bset\\s+(?:up\\s+(?:dev\\s+)?${it}\\b|(?:dev\\s+)?${it}\\b.*\\b(?:up|name|master)\\b)|\\bifup\\s.*${it}|\\bifconfig\\s+${it}\\s.*\\bup\\b|\\b(?:nmcli|networkctl)\\b.*\\b(?:up|connect)\\s.*${it}`,
  );
  return together.some((line) => back.test(line.text))
    ? undefined
    : { does: `takes the interface ${name} away from`, before, isSaid: true, lasts: true };
}

// --- What makes rules of its own of what it is told ---

/** ufw and firewalld: their rules and zones are not followed, and so more than one port is a warning. */
function byFrontEnd(
  text: string,
  line: BootLine,
  together: readonly BootLine[],
  doors: readonly Door[],
): InTheWay | undefined {
  const reached = doors.filter(({ isLocal }) => !isLocal);
  const lets = together.filter(({ path }) => path === line.path).map((each) => withoutComment(each.text));
  for (const [, before = "", said = ""] of text.matchAll(/^(.*?)\bufw\s+((?:[^;&|]|&\d)*)/g)) {
    if (SAID.test(before) || /\bdelete\b/.test(said)) continue;
    const isOpen = ({ port }: Door) =>
      lets.some((each) => {
        const [, allowed] = /\bufw\s+(?:\S+\s+)*?allow\s+(.*)/.exec(each) ?? [];
        return (
          allowed !== undefined &&
          (!/\b\d+(?:\/\w+)?(?![\d./])/.test(withoutAddresses(allowed)) || hasPort(allowed, port))
        );
      });
    if (/\bdefault\s+(?:deny|reject)\b(?!\s+(?:out|routed))/.test(said)) {
      const shut = reached.find((door) => !isOpen(door));
      return (
        shut && { does: `shuts all ports, port ${shut.port} too, of`, before, isSaid: true, lasts: true }
      );
    }
    if (!/\b(?:deny|reject)\b/.test(said) || /\b(?:deny|reject)\s+out\b/.test(said)) continue;
    const door = reached.find(({ port }) => hasPort(said, port));
    if (door !== undefined)
      return {
        does: `shuts port ${door.port} of`,
        before,
        isSaid: /\bfrom\s+(?!any\b)|\bon\s/.test(said),
        lasts: true,
      };
  }
  for (const [, before = "", said = ""] of text.matchAll(/^(.*?)\bfirewall-cmd\s([^;&|]*)/g)) {
    if (SAID.test(before) || !FIREWALLD_SHUTS.test(said)) continue;
    const [, port] = /-port=(\d+)/.exec(said) ?? [];
    const door = reached.find((each) => port === undefined || Number(port) === each.port);
    if (door !== undefined)
      return {
        does: `has firewalld shut more, perhaps port ${door.port}, of`,
        before,
        isSaid: true,
        lasts: true,
      };
  }
  return undefined;
}

const FIREWALLD_SHUTS =
  /--panic-on|--set-(?:default-zone=(?:drop|block)|target=(?:DROP|REJECT|%%REJECT%%))|--zone=(?:drop|block)\b.*--(?:add|change)-(?:interface|source)|--remove-(?:port|source|interface)=|--add-rich-rule=.*\b(?:drop|reject)\b/;

function withoutAddresses(said: string): string {
  return said.replaceAll(/[\da-fA-F]*[.:][\d.:a-fA-F]*(?:\/\d+)?/g, "");
}

function hasPort(said: string, port: number): boolean {
  return withoutAddresses(said)
    .split(/[^\d/a-z]+/)
    .some((word) => word === `${port}` || word === `${port}/tcp`);
}

// --- What a service is told by its own socket or client ---

const TOLD: Readonly<
  Record<string, (text: string, together: readonly BootLine[], line: BootLine) => InTheWay | undefined>
> = {
  "haproxy.service": bySocket,
  "mariadb.service": byClient,
  "mysql.service": byClient,
  "zookeeper.service": byRegistry,
};

function bySocket(text: string, together: readonly BootLine[], { path }: BootLine): InTheWay | undefined {
  // Of a text that a script sends a line holds no more than the verb.
  const isText = /^\s*["']?(?:disable|shutdown|set|del)\b/.test(text);
  const isSent = isText && together.some((line) => line.path === path && /\.sock\b/.test(line.text));
  if (!/\bsocat\b|\bnc\b|\.sock\b/.test(text) && !isSent) return undefined;
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
  const [, before] =
    /^(.*?)\b(?:(?:mysql|mariadb-)admin\b.*\bshutdown|(?:mysql|mariadb)\b.*(?:-\w*e|--execute)[=\s]*["']?\s*shutdown)\b/i.exec(
      text,
    ) ?? [];
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

function byRegistry(text: string, _: readonly BootLine[], { by }: BootLine): InTheWay | undefined {
  const [, before, verb = "", rest = ""] =
    /^(.*?)\bzkCli\S*\s.*\b(deleteall|rmr|delete|setAcl|reconfig)\b(.*)/.exec(text) ?? [];
  if (before === undefined) return rotated(text, by);
  // One node, or what lies deeper, may be another program's: its locks, its queue.
  const isSaid = verb === "delete" || (verb !== "reconfig" && /\s["']?\/[^\s/]+\/[^\s/]/.test(rest));
  return { does: `says "${verb}" to the registry of`, before, isSaid, lasts: true };
}
