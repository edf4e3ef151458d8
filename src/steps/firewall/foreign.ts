import { type AddressRange, mergeAddressRanges, showAddressRange, without } from "../../address-range.ts";
import { chainKey, type Item, itemsOfSave, partsOf, spelledOut } from "../../evidence/iptables.ts";
import { isPlainMap } from "../../plain-map.ts";
import type { FirewallFacts } from "./facts.ts";
import { TABLE } from "./paths.ts";
import { type Items, itemsByKind, itemsOf, rangeOfElement, type Unread } from "./table.ts";

type Sources = readonly AddressRange[];

/** States of packets that begin no connection. */
const NOT_NEW = ["established", "related", "invalid", "untracked"];
/** Hooks that a connection to the host passes, by the type of chain. */
const PASSED: Readonly<Record<string, readonly string[]>> = {
  filter: ["prerouting", "input"],
  nat: ["prerouting"],
};
const DEEPEST_JUMP = 16;
/** Chains looked through for one port: one that many jump to is looked through for each of them. */
const MOST_WALKS = 1000;

/** Where tables of others drop connections that begin, or send them elsewhere, in words, and what could not be read of them. */
export interface ForeignDrops {
  readonly drops: readonly string[];
  readonly unread: readonly string[];
}

/**
 * What tables of others drop of connections to a port that `sources` may come from. A drop is final whatever another table
 * accepts, so it shuts out those that meshctl's lets in. A rule that is not understood is taken to accept: only what is
 * seen to drop is told.
 */
export function foreignDrops(
  { kernel, iptables }: Pick<FirewallFacts, "kernel" | "iptables">,
  port: number,
  sources: Sources,
): ForeignDrops {
  const listings = [
    ...(kernel.is === "read" ? [listed(kernel.ruleset, (text) => itemsListed(text, iptables))] : []),
    listed(iptables, itemsSaved),
  ];
  return {
    drops: listings.flatMap((items) => ("unread" in items ? [] : dropsIn(items, port, sources))),
    unread: listings.flatMap((items) =>
      "unread" in items ? [`the rules of other tables could not be read: ${items.unread}`] : [],
    ),
  };
}

function listed(text: string | Unread, read: (text: string) => Items | Unread): Items | Unread {
  return typeof text === "string" ? read(text) : text;
}

function itemsListed(text: string, iptables: string | Unread): Items | Unread {
  const items = itemsOf(text);
  if ("unread" in items || typeof iptables !== "string") return items;
  const spelled = spelledOut(items.entries, iptables);
  return spelled === undefined ? { unread: "iptables-save failed" } : itemsByKind(spelled);
}

function itemsSaved(text: string): Items | Unread {
  const items = itemsOfSave(text);
  return items === undefined ? { unread: "iptables-save leaves a table out" } : itemsByKind(items);
}

function dropsIn(items: Items, port: number, sources: Sources): readonly string[] {
  const isOther = ({ family, table }: Item) =>
    ["ip", "ip6", "inet"].includes(String(family)) && !(family === "inet" && table === TABLE);
  const rules = items.all("rule").filter(isOther);
  const chains = new Map<string, Item[]>();
  for (const rule of rules) {
    const key = chainKey(rule, rule.chain);
    const chain = chains.get(key);
    if (chain === undefined) chains.set(key, [rule]);
    else chain.push(rule);
  }
  const words = new Set<string>();
  let walks = 0;
  for (const chain of items.all("chain").filter(isOther)) {
    if (!PASSED[String(chain.type)]?.includes(String(chain.hook))) continue;
    const families = { ip: [4], ip6: [6] }[String(chain.family)] ?? [4, 6];
    const left = walk(
      chain,
      chain.name,
      sources.filter(({ family }) => families.includes(family)),
      0,
    );
    if (chain.policy === "drop" && left.length > 0)
      words.add(
        `${placeOf(chain, chain.name)}, drops what no rule accepts, and none accepts ${connections(left)}`,
      );
  }
  return [...words];

  /** The sources that a chain decides nothing about. */
  function walk(base: Item, name: unknown, from: Sources, depth: number): Sources {
    let left = from;
    walks += 1;
    for (const rule of chains.get(chainKey(base, name)) ?? []) {
      const met = meets(rule, port, left);
      const verdict = verdictOf(rule);
      if (met.length === 0 || verdict === undefined) continue;
      left = without(left, met);
      if (verdict.is === "drop") words.add(`${placeOf(base, name)}, drops ${connections(met)}`);
      if (verdict.is === "elsewhere")
        words.add(`${placeOf(base, name)}, sends ${connections(met)} elsewhere`);
      if (!("to" in verdict) || depth >= DEEPEST_JUMP || walks >= MOST_WALKS) continue;
      const undecided = walk(base, verdict.to, met, depth + 1);
      // What a chain that was gone to leaves undecided does not come back to this one.
      if (verdict.is === "jump") left = mergeAddressRanges([...left, ...undecided]);
    }
    return left;
  }

  function connections(met: Sources): string {
    const shown = met.slice(0, 3).map(showAddressRange);
    return `port ${port} from ${[...shown, ...(met.length > 3 ? [`${met.length - 3} more`] : [])].join(", ")}`;
  }
}

function placeOf({ family, table }: Item, chain: unknown): string {
  return `table ${String(family)} ${String(table)}, chain ${String(chain)}`;
}

function isRedirect(part: Item): boolean {
  return "redirect" in part || "dnat" in part;
}

/** iptables' REJECT is a target of its own to older nft. */
function isDrop(part: Item): boolean {
  return (
    "drop" in part ||
    "reject" in part ||
    (isPlainMap(part.xt) && part.xt.type === "target" && part.xt.name === "REJECT")
  );
}

/** What a rule does with what it matches; undefined when it only counts, logs or marks. */
function verdictOf(
  rule: Item,
): { is: "accept" | "drop" | "elsewhere" } | { is: "jump" | "goto"; to: unknown } | undefined {
  for (const part of partsOf(rule)) {
    if (isDrop(part)) return { is: "drop" };
    if (isRedirect(part)) return { is: "elsewhere" };
    if (isPlainMap(part.jump)) return { is: "jump", to: part.jump.target };
    if (isPlainMap(part.goto)) return { is: "goto", to: part.goto.target };
    // What goes on where the chain was called from is not followed.
    if ("return" in part) return { is: "accept" };
    // A map of verdicts by state leaves new connections alone; of any other kind, and of iptables' own, nothing is known.
    if (isPlainMap(part.vmap) && isPlainMap(part.vmap.key) && "ct" in part.vmap.key) return undefined;
    if ("accept" in part || "vmap" in part || "xt" in part || "queue" in part) return { is: "accept" };
  }
  return undefined;
}

/** Those of the sources whose new TCP connections to the port the rule may match. */
function meets(rule: Item, port: number, sources: Sources): Sources {
  let met = sources;
  // What drops must be understood, or a rate limit would be told as if it shut everybody out.
  const drops = ["drop", "elsewhere"].includes(verdictOf(rule)?.is ?? "");
  for (const part of partsOf(rule)) {
    if (isPlainMap(part.match)) {
      const now = matched(part.match, port, met);
      if (now === undefined && drops) return [];
      met = now ?? met;
    } else if (
      drops &&
      !isDrop(part) &&
      !isRedirect(part) &&
      !["counter", "log"].some((known) => known in part)
    )
      return [];
  }
  return met;
}

/** Undefined where nothing is known of what matches. */
function matched({ op, left, right }: Item, port: number, sources: Sources): Sources | undefined {
  const holds = (isHeld: boolean | undefined) =>
    isHeld === undefined ? undefined : isHeld !== (op === "!=") ? sources : [];
  if (!isPlainMap(left)) return undefined;
  if (isPlainMap(left.payload)) {
    const { field, protocol } = left.payload;
    if (["udp", "icmp", "icmpv6", "sctp"].includes(String(protocol))) return [];
    if (field === "dport") return holds(includes(right, port));
    if (field === "protocol" || field === "nexthdr")
      return holds(includes(right, "tcp") || includes(right, 6));
    if (field === "saddr") return fromAddresses(op, String(protocol), right, sources);
    return undefined;
  }
  if (isPlainMap(left.meta)) {
    const { key } = left.meta;
    if (key === "l4proto") return holds(includes(right, "tcp") || includes(right, 6));
    if (key === "nfproto") {
      const family = right === "ipv4" ? 4 : 6;
      return sources.filter((range) => (range.family === family) !== (op === "!="));
    }
    if ((key === "iif" || key === "iifname") && right === "lo") return holds(false);
    return undefined;
  }
  if (isPlainMap(left.ct) && left.ct.key === "state")
    return holds([right].flat().some((state) => !NOT_NEW.includes(String(state))));
  return undefined;
}

function fromAddresses(op: unknown, protocol: string, right: unknown, sources: Sources): Sources | undefined {
  const family = protocol === "ip" ? 4 : 6;
  const own = sources.filter((range) => range.family === family);
  const given = isPlainMap(right) && Array.isArray(right.set) ? right.set : [right];
  const ranges = given.map(rangeOfElement);
  if (ranges.includes(undefined)) return undefined;
  const others = without(own, ranges as AddressRange[]);
  return op === "!=" ? others : without(own, others);
}

/** Whether the right side of a match holds a value. Undefined of a set by name. */
function includes(right: unknown, value: number | string): boolean | undefined {
  if (typeof right === "string" && right.startsWith("@")) return undefined;
  if (!isPlainMap(right)) return [right].flat().includes(value);
  if (Array.isArray(right.set)) return right.set.some((each: unknown) => includes(each, value));
  if (!Array.isArray(right.range)) return undefined;
  const [first, last] = right.range.map(Number);
  return Number(value) >= first! && Number(value) <= last!;
}
