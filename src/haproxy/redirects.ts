import { BlockList, isIPv6 } from "node:net";
import { chainKey, type Item } from "../evidence/iptables.ts";
import { isPlainMap } from "../plain-map.ts";

/** A rule of nftables that sends connections to a front end of this host elsewhere, or drops some. */
export interface Redirect {
  /** "table ip nat, chain output". */
  readonly place: string;
  /** "redirect", "dnat"; "drop". */
  readonly how: string;
  /** Whether all of the host's own connections to it are sent elsewhere: the rule asks for nothing else, and none is before it. */
  readonly isSure: boolean;
}

/** Verdicts of nft's, and in small letters the targets of iptables' that nft tells by name alone. */
const TARGETS = ["redirect", "dnat", "tproxy"];
const DROPS = ["drop", "reject"];
/** Where packets of this host to itself pass. */
const OWN_HOOKS = ["output", "input", "prerouting", "ingress"];

/** Words of a rule behind which others of its chain may not be asked. */
const PASSES = ["accept", "return", "jump", "goto", "vmap"];

/** Words that a rule asks by beside those that are read here; "xt" is a match of iptables' that nft cannot say. */
const ASKS = ["xt", "limit", "quota", "ct count"];

/** Rules that send what goes to an address and port of this host elsewhere, or drop it. */
export function redirectsOf(items: readonly Item[], address: string, port: number): readonly Redirect[] {
  const chains = new Map(
    items.flatMap(({ chain }) => (isPlainMap(chain) ? [[chainKey(chain, chain.name), chain]] : [])),
  );
  const otherFamily = isIPv6(address) ? "ip" : "ip6";
  /** Chains in which a rule before may have let it pass, and those in which one surely has. */
  const passing = new Set<string>();
  const passed = new Set<string>();
  return items.flatMap(({ rule }): Redirect[] => {
    if (!isPlainMap(rule) || !Array.isArray(rule.expr) || rule.family === otherFamily) return [];
    const parts = rule.expr.filter(isPlainMap);
    const how = parts.flatMap((part) =>
      [...TARGETS, ...DROPS].filter((word) => word in part || word === targetOf(part)),
    )[0];
    const chain = chainKey(rule, rule.chain);
    const base = chains.get(chain);
    const hook = base?.hook;
    const mayHavePassed = passing.has(chain);
    const isDrop = how !== undefined && DROPS.includes(how);
    const met = parts.flatMap((part) =>
      isPlainMap(part.match) ? [meets(part.match, address, port, isDrop)] : [],
    );
    if (!met.includes("no") && hasAny(parts, PASSES)) passing.add(chain);
    const isSurelyMet = met.every((each) => each === "yes" || each === "port") && !hasAny(parts, ASKS);
    if (isSurelyMet && hasAny(parts, ["accept"])) passed.add(chain);
    if (how === undefined) return [];
    // What comes from this host itself passes no other hook that sends it elsewhere.
    if (hook !== undefined && !(isDrop ? OWN_HOOKS.includes(String(hook)) : hook === "output")) return [];
    if (isDrop && (passed.has(chain) || (base?.dev !== undefined && !eachOf(base.dev).flat().includes("lo"))))
      return [];
    if (met.includes("no") || !met.some((each) => each.endsWith("port"))) return [];
    return [
      {
        place: `table ${String(rule.family)} ${String(rule.table)}, chain ${String(rule.chain)}`,
        how,
        // Whether all is dropped one request of this host's own has shown.
        isSure:
          !isDrop &&
          hook === "output" &&
          !met.some((each) => each.startsWith("perhaps")) &&
          !hasAny(parts, ASKS) &&
          !mayHavePassed,
      },
    ];
  });
}

/** iptables' own target. */
function targetOf({ xt }: Item): string | undefined {
  return isPlainMap(xt) && xt.type === "target" ? String(xt.name).toLowerCase() : undefined;
}

function hasAny(parts: readonly Item[], words: readonly string[]): boolean {
  return parts.some((part) => words.some((word) => word in part));
}

/** What nft lists of all tables, as JSON; iptables' own are in it, too. Undefined where it is not understood. */
export function itemsOfListing(listing: string): readonly Item[] | undefined {
  try {
    const parsed: unknown = JSON.parse(listing);
    return isPlainMap(parsed) && Array.isArray(parsed.nftables)
      ? parsed.nftables.filter(isPlainMap)
      : undefined;
  } catch {
    return undefined;
  }
}

type Met = "no" | "yes" | "perhaps" | "port" | "perhaps by port";

/**
 * Whether a connection to the address and port, over the loopback interface, is what a rule asks for; "port" when it is by its
 * port. What a named set holds is not in the listing.
 */
function meets({ op, left, right }: Item, address: string, port: number, isDrop: boolean): Met {
  const isNot = op === "!=";
  const told = (is: boolean, yes: "yes" | "port" = "yes") => (is === isNot ? "no" : yes);
  const isNamedSet = typeof right === "string" && right.startsWith("@");
  if (!isPlainMap(left)) return "perhaps";
  if (isPlainMap(left.payload)) {
    const { field, protocol } = left.payload;
    if (field === "dport") {
      if (protocol === "udp") return "no";
      if (isNamedSet) return "perhaps by port";
      return told(
        holds(right, (each) => isPort(each, port)),
        "port",
      );
    }
    // A set of senders that are shut out: none is this host itself.
    if (isNamedSet) return isDrop && field === "saddr" && !isNot ? "no" : "perhaps";
    if (field === "protocol" || field === "nexthdr")
      return told(holds(right, (each) => each === "tcp" || each === 6));
    // To itself a host sends from the same address, unless a client asks for another of its own.
    if (field === "daddr" || (field === "saddr" && isDrop)) {
      const covered = eachOf(right).map((each) => coversAddress(each, address));
      if (covered.includes(true)) return told(true);
      return covered.includes(undefined) ? "perhaps" : told(false);
    }
    return "perhaps";
  }
  if (isPlainMap(left.meta) && !isNamedSet) {
    const { key } = left.meta;
    if (key === "l4proto") return told(holds(right, (each) => each === "tcp" || each === 6));
    if (["oif", "oifname", "iif", "iifname"].includes(String(key)))
      return told(holds(right, (each) => each === "lo"));
  }
  return "perhaps";
}

function holds(right: unknown, is: (each: unknown) => boolean): boolean {
  return eachOf(right).some(is);
}

function eachOf(right: unknown): readonly unknown[] {
  return isPlainMap(right) && Array.isArray(right.set) ? right.set : [right];
}

function isPort(given: unknown, port: number): boolean {
  if (isPlainMap(given) && Array.isArray(given.range))
    return Number(given.range[0]) <= port && port <= Number(given.range[1]);
  return Number(given) === port;
}

/** Undefined where it is not understood. */
function coversAddress(given: unknown, address: string): boolean | undefined {
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const covered = new BlockList();
  try {
    if (typeof given === "string") covered.addAddress(given, family);
    else if (isPlainMap(given) && isPlainMap(given.prefix))
      covered.addSubnet(String(given.prefix.addr), Number(given.prefix.len), family);
    else if (isPlainMap(given) && Array.isArray(given.range))
      covered.addRange(String(given.range[0]), String(given.range[1]), family);
    else return undefined;
  } catch {
    return undefined;
  }
  return covered.check(address, family);
}
