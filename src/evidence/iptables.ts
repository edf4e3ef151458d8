import { isIPv6 } from "node:net";
import { isPlainMap } from "../plain-map.ts";

/** A chain or a rule, as nft lists it in JSON. */
export type Item = Readonly<Record<string, unknown>>;

/** Options of a rule that ask nothing, with how many words follow them. */
const ASKS_NOTHING: Readonly<Record<string, number>> = { "-m": 1, "--match": 1, "--comment": 1, "-c": 2 };
const TARGETS: Readonly<Record<string, string>> = {
  REDIRECT: "redirect",
  DNAT: "dnat",
  TPROXY: "tproxy",
  DROP: "drop",
  REJECT: "reject",
  ACCEPT: "accept",
  RETURN: "return",
};
/** Targets behind which the next rule is asked. */
const GOES_ON =
  /^(?:LOG|NFLOG|ULOG|MARK|CONNMARK|SECMARK|TRACE|AUDIT|TCPMSS|DSCP|TOS|NOTRACK|CT|SET|CLASSIFY)$/;

/** The kind of what nft lists, too. */
const LISTED = "listed";

/**
 * What `iptables-save` says and nft does not list, as nft would list it in JSON, as far as it may concern one connection. Each
 * family's and kind's begin with a line "#ip legacy" or "#ip6 nft". Undefined where a table is left out.
 */
export function itemsOfSave(text: string): readonly Item[] | undefined {
  return saved(text, (kind) => kind !== LISTED);
}

/**
 * What nft lists, with the words of iptables-save for each rule that has matches and targets of iptables' own: nft says no
 * more of them than their names, and none at all before 1.0. The two list the rules of a chain in the same order. Undefined where
 * there are such rules and iptables-save failed, which a line "#ip failed" tells.
 */
export function spelledOut(items: readonly Item[], save: string): readonly Item[] | undefined {
  const failed = [...save.matchAll(/^#(ip6?) failed$/gm)].map(([, family]) => family);
  const isLost = (rule: unknown) =>
    isPlainMap(rule) && failed.includes(String(rule.family)) && isOfIptables(rule);
  if (items.some(({ rule }) => isLost(rule))) return undefined;
  const savedRules = rulesByChain(saved(save, (kind) => kind === LISTED) ?? []);
  const listedRules = rulesByChain(items);
  return items.map((item) => {
    const { rule } = item;
    if (!isPlainMap(rule) || !isOfIptables(rule)) return item;
    const chain = chainOf(rule);
    const [listed, told] = [listedRules.get(chain)!, savedRules.get(chain)];
    // One was added or deleted between the two.
    if (told?.length !== listed.length) return item;
    return { ...item, rule: { ...rule, expr: told[listed.indexOf(rule)]!.expr } };
  });
}

const isOfIptables = (rule: Item): boolean => partsOf(rule).some((part) => "xt" in part);

function rulesByChain(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const chains = new Map<string, Item[]>();
  for (const { rule } of items) {
    if (!isPlainMap(rule)) continue;
    const rules = chains.get(chainOf(rule));
    if (rules === undefined) chains.set(chainOf(rule), [rule]);
    else rules.push(rule);
  }
  return chains;
}

const chainOf = (rule: Item): string => chainKey(rule, rule.chain);

/** Tells a chain from those of other tables; the first is the chain itself, or a rule of its table. */
export function chainKey({ family, table }: Item, chain: unknown): string {
  return JSON.stringify([family, table, chain]);
}

export function partsOf({ expr }: Item): readonly Item[] {
  return (Array.isArray(expr) ? expr : []).filter(isPlainMap);
}

/** Of some kinds; undefined where a table of theirs that nothing else lists is left out. */
function saved(text: string, isAsked: (kind: string) => boolean): readonly Item[] | undefined {
  const items: Item[] = [];
  let [family, kind, table] = ["ip", "", ""];
  for (const line of text.split("\n")) {
    const [, inFamily, inKind] = /^#(ip6?) (\w+)$/.exec(line) ?? [];
    if (inFamily !== undefined) [family, kind, table] = [inFamily, inKind!, ""];
    if (!isAsked(kind)) continue;
    if (kind !== LISTED && /^# Table .* is incompatible/.test(line)) return undefined;
    if (line.startsWith("*")) table = line.slice(1);
    const [, chain, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    const of = { family, table: kind === "legacy" ? `${table} (iptables-legacy)` : table };
    if (chain !== undefined && policy === "-") items.push({ chain: { ...of, name: chain } });
    else if (chain !== undefined)
      items.push({
        chain: {
          ...of,
          type: table === "nat" ? "nat" : "filter",
          name: chain,
          hook: chain.toLowerCase(),
          policy: policy!.toLowerCase(),
        },
      });
    if (line.startsWith("-A ")) {
      const [, name, ...words] = wordsOf(line);
      items.push({ rule: { ...of, chain: name, expr: exprOf(words) } });
    }
  }
  return items;
}

/** As iptables-save quotes them. */
function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
}

function exprOf(words: readonly string[]): readonly Item[] {
  const expr: Item[] = [];
  for (let at = 0; at < words.length; at++) {
    const isNot = words[at] === "!";
    if (isNot) at++;
    const [option = "", value = ""] = words.slice(at);
    const asked = matchOf(option, value);
    if (asked !== undefined) expr.push({ match: { op: isNot ? "!=" : "==", ...asked } });
    else if (option === "-j" || option === "-g") {
      // What follows belongs to the target.
      return [...expr, ...targetOf(option, value)];
    } else if (!(option in ASKS_NOTHING)) expr.push({ xt: option });
    at += asked === undefined ? (ASKS_NOTHING[option] ?? valuesOf(words, at)) : 1;
  }
  return expr;
}

function targetOf(option: string, target: string): readonly Item[] {
  if (GOES_ON.test(target)) return [];
  const verdict = TARGETS[target];
  if (verdict !== undefined) return [{ [verdict]: null }];
  return [{ [option === "-g" ? "goto" : "jump"]: { target } }];
}

/** How many words follow an option that is not known: all up to the next one. */
function valuesOf(words: readonly string[], at: number): number {
  const next = words.slice(at + 1).findIndex((word) => word === "!" || /^--?[a-z]/.test(word));
  return next < 0 ? words.length - at - 1 : next;
}

/** What an option asks, as nft has it; undefined where that is not known. */
function matchOf(option: string, value: string): Item | undefined {
  switch (option) {
    case "-p":
      return { left: { meta: { key: "l4proto" } }, right: value };
    case "--dport":
    case "--dports":
      return { left: { payload: { protocol: "th", field: "dport" } }, right: setOf(value) };
    case "-o":
      return { left: { meta: { key: "oifname" } }, right: value };
    case "-i":
      return { left: { meta: { key: "iifname" } }, right: value };
    case "--ctstate":
    case "--state":
      return { left: { ct: { key: "state" } }, right: value.toLowerCase().split(",") };
    case "-d":
    case "-s": {
      const [addr = "", len = isIPv6(addr) ? "128" : "32"] = value.split("/");
      return {
        left: {
          payload: {
            protocol: isIPv6(addr) ? "ip6" : "ip",
            field: option === "-d" ? "daddr" : "saddr",
          },
        },
        right: { prefix: { addr, len: Number(len) } },
      };
    }
    default:
      return undefined;
  }
}

function setOf(ports: string): Item {
  const set = ports.split(",").map((each) => {
    const [from = "", to] = each.split(":");
    return to === undefined ? Number(from) : { range: [Number(from), Number(to)] };
  });
  return { set };
}
