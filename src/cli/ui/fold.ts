import { namedList } from "../../named-list.ts";

/** Fewer hosts than this are shown one by one, also where they are alike. */
export const FEWEST_ALIKE = 4;

/** What several hosts have in common. */
export interface Alike<T> {
  /** The first of them, which stands for all. */
  readonly first: T;
  readonly all: readonly T[];
}

/**
 * Items in their order, those with the same `exact` key together; where there are many, also those that only have `loose`
 * in common.
 */
export function folded<T>(
  items: readonly T[],
  exact: (item: T) => string,
  loose: (item: T) => string = exact,
): readonly Alike<T>[] {
  const groups = grouped(grouped(items, exact), ([first]) => loose(first!)).flatMap((alike) =>
    alike.flat().length >= FEWEST_ALIKE ? [alike.flat()] : alike,
  );
  const place = new Map(items.map((item, at) => [item, at]));
  const ordered = groups.map((all) => all.toSorted((a, b) => place.get(a)! - place.get(b)!));
  return ordered
    .map((all) => ({ first: all[0]!, all }))
    .sort((a, b) => place.get(a.first)! - place.get(b.first)!);
}

function grouped<T>(items: readonly T[], key: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** Names in a row, as many as there is room for: "a, b and 498 more". */
export function someNames(names: readonly string[], columns = 60): string {
  const all = names.join(", ");
  if (names.length < FEWEST_ALIKE || all.length <= columns) return all;
  let shown = 1;
  while (names.slice(0, shown + 1).join(", ").length <= columns - " and 9999 more".length) shown += 1;
  return namedList(names, shown);
}

/** Words of a host without what is its own: its name, its addresses and moments. Another's address is what differs. */
export function withoutOwn(
  words: string,
  host: string,
  isOwn: (address: string) => boolean = () => false,
): string {
  const name = new RegExp(`(?<![\\w.-])${host.replaceAll(".", "\\.")}(?![\\w-]|\\.\\w)`, "g");
  return words
    .replace(name, "HOST")
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}\b/gi, (address) =>
      isOwn(address) ? "ADDRESS" : address,
    )
    .replace(/\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?/g, "MOMENT");
}
