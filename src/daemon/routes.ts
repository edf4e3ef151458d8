import type { BootLine } from "./boot-lines.ts";
import { namesPort } from "./packet-filter.ts";
import { covers, type Door, type InTheWay, isWide } from "./reach.ts";

/** What a command leaves no route to. */
export function routed(text: string, doors: readonly Door[], peers: readonly string[]): InTheWay | undefined {
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

/** Those of containers and of virtual machines are not the mesh's. */
const GUESTS = /\bdev\s+(?:veth|tap|tun|vnet|docker|br-|ifb|virbr|wg|cali|cni)/;

/** Bits in a second: less is felt by any service. */
const LEAST_RATE = 10e6;
const RATES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** What a queue does to packets of a service. */
export function delayed(text: string, doors: readonly Door[]): InTheWay | undefined {
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

/** The interface that a command takes away. */
export function takenDown(
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
