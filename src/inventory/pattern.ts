import type { HostName, InventoryView } from "../contract/inventory-view.ts";
import { ConfigurationError } from "../errors.ts";
import { didYouMeanGroup } from "./nearest-name.ts";

interface Names {
  readonly hosts: ReadonlyMap<HostName, unknown>;
  readonly groups: InventoryView["groups"];
}

/** What a pattern selects, in the inventory's order, and what is wrong with its terms. */
export interface Matched {
  readonly hosts: readonly HostName[];
  /** Whether there were hosts, and what narrows them took them all. */
  readonly allExcluded: boolean;
  /** Terms that name nothing the inventory has. */
  readonly unknown: readonly { readonly term: string; readonly message: string }[];
}

/**
 * The hosts that a pattern of `--limit` or of a play selects, in the inventory's order.
 * A pattern is a list, parted by commas or colons (or a list of such), of `all`, hosts, groups, globs and ranges
 * (`kvm-[01:20]`). `a|b` is one term of both; `&term` leaves only hosts that this has too, `!term` takes hosts away again;
 * with nothing else, they start from all. Throws ConfigurationError when a term names nothing, or no host is left.
 */
export function matchHosts(pattern: string | readonly string[], inventory: Names): HostName[] {
  const { hosts, unknown } = resolvePattern(pattern, inventory);
  if (unknown.length > 0) throw new ConfigurationError(unknown.map(({ message }) => message).join("; "));
  if (hosts.length === 0) throw new ConfigurationError(matchesNothing(pattern));
  return [...hosts];
}

export function matchesNothing(pattern: string | readonly string[]): string {
  return `pattern '${[pattern].flat().join(",")}' matches no host`;
}

/** As `matchHosts`, with every problem as data. */
export function resolvePattern(pattern: string | readonly string[], inventory: Names): Matched {
  const terms = [pattern].flat().flatMap((list) => list.split(BETWEEN_TERMS).map((term) => term.trim()));
  const unknown: { term: string; message: string }[] = [];
  const select = (term: string): readonly HostName[] => {
    const name = term.replace(/^[!&]\s*/, "");
    return name.split("|").flatMap((one) => {
      const selected = resolveTerm(one, inventory);
      if (selected === undefined) unknown.push({ term: one, message: describeUnknown(one, inventory) });
      return selected ?? [];
    });
  };
  const wanted = terms.filter((term) => !/^[!&]/.test(term));
  const chosen = new Set(wanted.length === 0 ? inventory.hosts.keys() : wanted.flatMap(select));
  const before = chosen.size;
  for (const term of terms.filter((each) => each.startsWith("&"))) {
    const both = new Set(select(term));
    for (const host of chosen) if (!both.has(host)) chosen.delete(host);
  }
  for (const term of terms.filter((each) => each.startsWith("!"))) {
    for (const host of select(term)) chosen.delete(host);
  }
  const hosts = [...inventory.hosts.keys()].filter((host) => chosen.has(host));
  return { hosts, allExcluded: before > 0 && hosts.length === 0, unknown };
}

/** A colon within brackets is a range's. */
const BETWEEN_TERMS = /[,:](?![^[\]]*\])/;
const RANGE = /\[([0-9]{1,6}):([0-9]{1,6})\]/;
const MOST_NAMES = 10_000;

/**
 * `kvm-[01:03]` → kvm-01, kvm-02, kvm-03; as many digits as the first has. Undefined where there is no range, none of one that
 * goes down or is of more than 10 000 names.
 */
export function namesInRange(term: string): readonly string[] | undefined {
  const ranges = [...term.matchAll(new RegExp(RANGE, "g"))];
  if (ranges.length === 0) return undefined;
  const counts = ranges.map(([, first, last]) => Math.max(0, Number(last) - Number(first) + 1));
  if (counts.reduce((all, count) => all * count, 1) > MOST_NAMES) return [];
  return ranges.reduce<readonly string[]>(
    (names, [range, first], at) =>
      names.flatMap((name) =>
        Array.from({ length: counts[at]! }, (_, index) =>
          name.replace(range, `${Number(first) + index}`.padStart(first!.length, "0")),
        ),
      ),
    [term],
  );
}

/** A range as shells and other tools write it, as it is written here; undefined where there is none. */
export function rangeMeant(term: string): string | undefined {
  const meant = term.replace(/[[{](\d{1,6})(?:-|\.{2,3}|–)(\d{1,6})[\]}]/g, "[$1:$2]");
  return meant === term ? undefined : meant;
}

/** Undefined when the inventory has nothing of that name. A group that is there and empty selects nothing. */
function resolveTerm(name: string, { hosts, groups }: Names): readonly HostName[] | undefined {
  if (name === "all") return [...hosts.keys()];
  if (hosts.has(name)) return [name];
  const group = groups.get(name);
  if (group !== undefined) return group;
  const range = RANGE.test(name) ? new Set(namesInRange(name)) : undefined;
  if (range === undefined && !/[*?]/.test(name)) return undefined;
  const isMeant = range === undefined ? globMatcher(name) : (each: string) => range.has(each);
  const named = [...hosts.keys(), ...groups.keys()].filter(isMeant);
  return named.length === 0 ? undefined : named.flatMap((each) => groups.get(each) ?? [each]);
}

/** Tells whether a name is as a glob says: `*` is anything, `?` one character. */
export function globMatcher(glob: string): (name: string) => boolean {
  const pattern = new RegExp(`^${glob.split("").map(globCharacter).join("")}$`);
  return (name) => pattern.test(name);
}

function globCharacter(character: string): string {
  if (character === "*") return ".*";
  return character === "?" ? "." : character.replace(/[^\w-]/, "\\$&");
}

function describeUnknown(name: string, { hosts, groups }: Names): string {
  if (name === "") return "expected a host, a group or a glob between the commas, found nothing";
  if (name.startsWith("~"))
    return `'${name}' begins like a regular expression, and patterns have globs: 'kvm-*', or a range: 'kvm-[01:20]'`;
  const range = rangeMeant(name);
  if (range !== undefined) return `'${name}' is no range: write '${range}'`;
  if (/[*?[]/.test(name)) return `no host or group matches '${name}'`;
  return `no host or group is named '${name}'${didYouMeanGroup(name, ["all", ...hosts.keys(), ...groups.keys()], groups.keys())}`;
}
