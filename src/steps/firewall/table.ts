import { type AddressRange, parseAddressRange } from "../../address-range.ts";
import type { Item } from "../../evidence/iptables.ts";
import { isPlainMap } from "../../plain-map.ts";
import { PRIORITY, type Rules, ruleExpressions, ruleLines } from "./rules.ts";

/** The table as the kernel has it. */
export interface Table {
  /** What it has that meshctl did not write, or lacks that it wrote, in words; empty when its rules are ours. */
  readonly otherwise: readonly string[];
  /** Name of the set → what it holds. */
  readonly sets: ReadonlyMap<string, readonly AddressRange[]>;
}

/** Why nft's own listing could not be read. */
export interface Unread {
  readonly unread: string;
}

/**
 * Compares by meaning: a rule is what it matches and decides, in whatever words a version of nft prints it. `json` and
 * `text` are two listings of the table, for nft 1.0.6 ends its JSON at a table that is switched off.
 */
export function readTable(text: string, json: string, rules: Rules): Table | Unread {
  if (/^[ \t]*flags\b.*\bdormant\b/m.test(text.split("{")[1] ?? "")) {
    return { otherwise: ["it is switched off (flags dormant)"], sets: new Map() };
  }
  const items = itemsOf(json);
  if ("unread" in items) return items;
  const sets = new Map<string, readonly AddressRange[]>();
  for (const set of items.all("set")) {
    const ranges = (Array.isArray(set.elem) ? set.elem : []).map(rangeOfElement);
    if (ranges.includes(undefined)) {
      return { otherwise: [`its set ${String(set.name)} holds what is no address`], sets: new Map() };
    }
    sets.set(String(set.name), ranges as AddressRange[]);
  }
  return { otherwise: [...otherChains(items), ...otherRules(items, text, rules)], sets };
}

/** What is listed of tables, by kind; each kind in its order. */
export interface Items {
  readonly entries: readonly Item[];
  all(kind: string): readonly Item[];
}

/** What `nft -j` printed. */
export function itemsOf(json: string): Items | Unread {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return { unread: `nft printed no whole JSON: ${json.slice(-60).trim() || "nothing"}` };
  }
  const list = isPlainMap(parsed) ? parsed.nftables : undefined;
  if (!Array.isArray(list)) return { unread: "nft printed JSON of another kind" };
  return itemsByKind(list);
}

export function itemsByKind(list: readonly unknown[]): Items {
  const entries = list.filter(isPlainMap);
  return {
    entries,
    all: (kind) => entries.flatMap((entry) => (isPlainMap(entry[kind]) ? [entry[kind] as Item] : [])),
  };
}

/** An element of a set: an address, a network or a range; with a comment or a time-out it is wrapped once more. */
export function rangeOfElement(element: unknown): AddressRange | undefined {
  if (typeof element === "string") return single(element);
  if (!isPlainMap(element)) return undefined;
  if (isPlainMap(element.elem)) return rangeOfElement(element.elem.val);
  if (isPlainMap(element.prefix))
    return single(`${String(element.prefix.addr)}/${String(element.prefix.len)}`);
  if (!Array.isArray(element.range)) return undefined;
  const [first, last] = element.range.map((address: unknown) => single(String(address)));
  return first && last && { ...first, last: last.last };
}

function single(text: string): AddressRange | undefined {
  const range = parseAddressRange(text);
  return range === "crooked" ? undefined : range;
}

function otherChains(items: { all(kind: string): readonly Item[] }): string[] {
  const chains = items.all("chain");
  const input = chains.find(({ name }) => name === "input");
  const extra = chains
    .filter((chain) => chain !== input)
    .map(({ name }) => `it has a chain '${String(name)}'`);
  const isBase =
    input?.type === "filter" &&
    input.hook === "input" &&
    input.prio === PRIORITY &&
    input.policy === "accept";
  return isBase ? extra : [...extra, "its chain 'input' is not hooked in as meshctl writes it"];
}

function otherRules(items: { all(kind: string): readonly Item[] }, text: string, rules: Rules): string[] {
  const found = items
    .all("rule")
    .filter(({ chain }) => chain === "input")
    .map(({ expr }) => meaningOf(expr));
  const wanted = ruleExpressions(rules).map(meaningOf);
  if (JSON.stringify(found) === JSON.stringify(wanted)) return [];
  const ours = new Set(ruleLines(rules));
  const present = linesOfInput(text).filter((line) => line !== "" && !line.startsWith("type "));
  const foreign = present
    .filter((line) => !ours.has(line))
    .map((line) => `it has a rule of another hand: ${line}`);
  const missing = [...ours].filter((line) => !present.includes(line)).map((line) => `it lacks: ${line}`);
  const words = [...foreign, ...missing];
  return words.length > 0 ? words : ["its rules are not those that meshctl writes"];
}

/** What stands in the chain, line by line: nft closes it by a line of its own. */
function linesOfInput(text: string): readonly string[] {
  const [, behind] = text.split("chain input {\n", 2);
  const lines = behind?.split("\n").map((line) => line.trim()) ?? [];
  const end = lines.indexOf("}");
  return end === -1 ? [] : lines.slice(0, end);
}

/** A rule without what says nothing of its meaning. */
function meaningOf(expression: unknown): string {
  const parts = (Array.isArray(expression) ? expression : []).filter(
    (part: unknown) => !(isPlainMap(part) && "counter" in part),
  );
  return JSON.stringify(parts, (key, value: unknown) => {
    if (key === "op" && value === "in") return "==";
    if (key === "set" && Array.isArray(value)) return [...value].sort((a, b) => Number(a) - Number(b));
    return value;
  });
}
