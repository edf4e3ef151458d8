import { type BootLine, IS_TOLD, withoutComment } from "./boot-lines.ts";
import { covers, type Door, type Family, type InTheWay, isWide, type Reach } from "./reach.ts";

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
  /\b(?:saddr|daddr|ct|limit|quota|meter|mark|tcp flags|iif|iifname|oif|oifname|fib|rt|meta(?!\s+l4proto))\b|(?:^|\s)(?:-s|-d|-i|-o|!|--(?:source|destination|in-interface|out-interface)|-m\s+(?!tcp\b|multiport\b|comment\b|udp\b)\S+)(?=\s)|[@$]/;
/** How rules of iptables-save's and nft's begin. */
const RULE =
  /^\s*(?:-A\s|:[A-Z]|[{}]|(?:add|insert|replace|table|chain|type|policy|tcp|th|ip6?|inet|meta|ct|(?:iif|oif)(?:name)?|counter|log|limit)\s|(?:drop|reject)\b)/;
/** Where other rules decide, which are not followed. */
const PASSES =
  /\b(?:jump|goto|vmap)\b|(?:-j|--jump|-g|--goto)\s+(?!(?:DROP|REJECT|(?:NF)?LOG|RETURN|ACCEPT|SET|(?:CONN)?MARK)\b|f2b-|sshguard)\S/;
const LOOPBACK = /(?:-i|--in-interface|\biif(?:name)?|-o|\boif(?:name)?)\s+["']?lo\b/;
const NO_LOOPBACK = /!\s+(?:-i|--in-interface)\s+lo\b/;
const OTHER_TABLE = /\bFORWARD\b|\bhook\s+(?:forward|postrouting)\b/;
const TABLE = /^\s*table\s+(?:(ip6?)\s)?/;
const CHAIN = /^\s*chain\s/;

/** Of a rule for several protocols TCP may be one. */
function isOtherProtocol(text: string): boolean {
  return /\budp\b|\bicmp/.test(text) && !/\btcp\b/.test(text);
}

/** The one that a rule is about; undefined of both, or where neither its line nor its table tells. */
function familyIn(line: BootLine, together: readonly BootLine[]): Family | undefined {
  const own = familyOfLine(line);
  if (own !== undefined || TOOL.test(line.text)) return own;
  for (let at = together.indexOf(line); at >= 0; at--) {
    const { path, text } = together[at]!;
    const table = path === line.path ? TABLE.exec(text) : null;
    if (table !== null) return table[1] as Family | undefined;
  }
  return undefined;
}

function familyOfLine({ text, path }: BootLine): Family | undefined {
  const named = [...text.matchAll(/\bip(6?)tables\b|\b(?:rule|chain)\s+ip(6?)\s/g)];
  const signs = new Set(named.map(([, tool, table]) => tool ?? table));
  if (signs.size > 1) return undefined;
  const [sign = /\/(?:rules\.v(?=[46]$)|(?:user|before|after)(?=6?\.rules$))(4|6|)/.exec(path)?.[1]] = signs;
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

/** What a rule of a packet filter keeps from a service, in whatever program's words. */
export function filtered(
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
  if (/\b(?:delete|destroy)\s/.test(rule) || IS_TOLD.test(before)) return undefined;
  if (OTHER_TABLE.test(rule) || isOtherProtocol(rule)) return undefined;
  const isDrop = DROPS.test(rule);
  const isDefault = DEFAULT_DROP.test(rule);
  const isPolicy = POLICY.test(rule);
  if (!isDrop && !isDefault && !isPolicy && !SENDS.test(rule)) return undefined;
  const said = withPorts(isDrop ? dropping(rule) : rule, line, together);
  const isNamed = ({ port }: Door) => namesPort(said, port);
  const named = allDoors.find(isNamed);
  const isAll =
    isDrop &&
    (OF_ALL.exec(said)?.[1]?.replaceAll(OF_ANY, "").trim() === "" ||
      (isRule && endsList(said, line, together)));
  // Who is shut out after failed logins is so from the port of those.
  const isOfLogins = /-[AI]\s+(?:f2b-|sshguard|fail2ban)/.test(said);
  const peer = isDrop && !isOfLogins && !/\bdports?\b/.test(said) ? peerIn(said, peers) : undefined;
  const isUnknown = isDrop && named === undefined && /\bdports?\s+\S*\$/.test(said);
  // All others are read only for a line that is about a door: hosts have lists of a thousand.
  if (!isDefault && !isPolicy && !isAll && !isUnknown && named === undefined && peer === undefined)
    return undefined;
  const way = wayOf(rule, line, together);
  if (way === "through") return undefined;
  const family = familyIn(line, together);
  // To whom a host may send is nothing to those that come to it; to its peers it goes by the same ports.
  const isSent = way === "out" && peers.length === 0 && /\bdports?\b/.test(rule);
  const doors = allDoors.filter((door) => !isOther(door.family, family) && !(isSent && !door.isLocal));
  const door = doors.find(isNamed);
  const same =
    family === undefined
      ? together
      : together.filter((each) => each === line || !isOther(familyIn(each, together), family));
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
    const statements = others.flatMap((each) => each.split(";"));
    const isAnswered = way === "out" && peers.length === 0 && answersLeave(others, at);
    const shut = isOpened
      ? undefined
      : doors.find(
          (door) => !statements.some((each) => mayAccept(each, door)) && !(isAnswered && !door.isLocal),
        );
    return shut && dropped(shut);
  }
  // Only what is decided before it gets past it; iptables' -I goes to the beginning.
  // ufw's files are chains of their own, each asked before the next.
  const earlier = others.filter(
    (each, index) =>
      (index < at || /\s(?:-I|--insert)\s|\binsert\s+rule\b/.test(each)) &&
      (line.by !== "ufw" || same[index]!.path === line.path),
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
            way === "asked" ||
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
  // Behind what another opens it is not asked.
  const isLast = /\s(?:-A|--append)\s/.test(` ${said}`) && dropped(door).isSaid;
  const isMore = asksMore(said.slice(handed === undefined ? plain(before).length : 0));
  return { ...found, does, isSaid: isMore || isLast || way === "asked" };
}

/**
 * Which way packets go that a rule is about: to this host, from it or through it. "asked": of a chain of its own, of which is
 * not told whether it is asked for them.
 */
function wayOf(
  rule: string,
  line: BootLine,
  together: readonly BootLine[],
): "in" | "out" | "through" | "asked" {
  const [, saved, given] =
    /(?:(?:^|\s)(?:-[AIP]|--append|--insert|--policy)\s+|^\s*:)(\S+)|\brule\s+(?:(?:ip6?|inet)\s+)?\S+\s+(\S+)/.exec(
      rule,
    ) ?? [];
  const chain = saved ?? given;
  if (chain !== undefined) {
    if (/^(?:OUTPUT|output)$|^ufw6?-\w+-output$/.test(chain)) return "out";
    if (/^(?:FORWARD|POSTROUTING|forward|postrouting)$|^ufw6?-\w+-forward$/.test(chain)) return "through";
    return given !== undefined || /^(?:INPUT|PREROUTING)$|^ufw6?-/.test(chain) ? "in" : "asked";
  }
  const hook = HOOK.exec(rule) ?? hookOf(line, together);
  if (hook === null) return "asked";
  if (/^(?:forward|postrouting)$/.test(hook?.[1] ?? "")) return "through";
  return hook?.[1] === "output" ? "out" : "in";
}

/** The hook of the chain that a line of nft's stands in; null of a chain without one, undefined where none is told. */
function hookOf(line: BootLine, together: readonly BootLine[]): RegExpExecArray | null | undefined {
  for (let at = together.indexOf(line); at >= 0; at--) {
    const { path, text } = together[at]!;
    if (path !== line.path) continue;
    const hook = HOOK.exec(text);
    if (hook !== null) return hook;
    if (CHAIN.test(text)) return null;
  }
  return undefined;
}

/** Whether a chain of what this host sends lets its answers out. */
function answersLeave(others: readonly string[], at: number): boolean {
  const isOutput = (text: string) => /\bOUTPUT\b/.test(text);
  const next = others.findIndex((each, index) => index > at && HOOK.test(each));
  const chain = isOutput(others[at]!)
    ? others.filter(isOutput)
    : others.slice(at, next === -1 ? undefined : next);
  return chain.some((each) => ACCEPTS.test(each) && /\bestablished\b/i.test(each));
}

const LOGS =
  /\blog\b(?:\s+(?:prefix\s+.*?|level\s+\w+|flags\s+\w+|group\s+\d+))*(?=\s*(?:counter|drop|reject)\b)/;

/** Whether a line of nft's drops all that is left of what comes to this host. */
function endsList(said: string, line: BootLine, together: readonly BootLine[]): boolean {
  const bare = said.replace(LOGS, " ").replace(/\bcomment\b.*$/, "");
  if (
    ` ${bare} `
      .replaceAll(OF_ANY, "")
      .replaceAll(/\bcounter\b/g, "")
      .trim() !== ""
  )
    return false;
  return /^(?:input|prerouting|ingress)$/.test(hookOf(line, together)?.[1] ?? "");
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
  if (isOtherProtocol(text)) return false;
  if (/\bdports?\b/.test(text))
    return namesPort(text, door.port) || /dports?\s+(?:\.\s|\S*[@$]|vmap\b|[<>!]|\{\s*$)/.test(text);
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

/** Whether a rule is about a port. */
export function namesPort(text: string, port: number): boolean {
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
