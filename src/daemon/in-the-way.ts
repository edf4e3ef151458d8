import { type BootLine, withoutComment } from "./boot-lines.ts";
import { byFrontEnd } from "./firewall-front-ends.ts";
import { filtered } from "./packet-filter.ts";
import type { InTheWay, Reach } from "./reach.ts";
import { delayed, routed, takenDown } from "./routes.ts";
import { SOCKET_VERBS, TOLD } from "./told-services.ts";

const FINAL = "drop|reject|DROP|REJECT|REDIRECT|DNAT|TPROXY|redirect|dnat|tproxy";
/** How addresses begin that a mesh has, and lists of attackers have not. */
const PRIVATE =
  "(?:10\\.|127\\.|192\\.168\\.|172\\.(?:1[6-9]|2\\d|3[01])\\.|100\\.(?:6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])\\.|198\\.1[89]\\.)";

/** One of these stands in each of the lines below. */
export const WAY_WORDS = [
  ...`${FINAL}|accept|ACCEPT`.split("|"),
  "/var/lib/zookeeper",
  ..."ip link set,table ,chain ".split(","),
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
  // What a list ends with, and shuts out all that is left.
  "[ \\t]*(?:(?:counter|log)\\b[^;]{0,80}\\b)?(?:drop|reject)(?: with [\\w -]{1,60})?[ \\t;}]*(?:$|#|comment\\b)",
  // Whose rules come next.
  "[ \\t]*(?:table|chain)\\s[^{]{0,80}\\{",
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
