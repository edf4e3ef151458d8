import { parseIp } from "./ip.ts";

/** Consecutive IP addresses as numbers, both ends included. An IPv4 address in IPv6's form is IPv4. */
export interface AddressRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Reads "10.0.0.1", "10.9.0.0/16" or "fd00::/8". "crooked": a network whose address has bits set behind its length.
 * Undefined when it is something else.
 */
export function parseAddressRange(text: string): AddressRange | "crooked" | undefined {
  const [, address = "", length] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const parts = parseIp(address);
  if (parts === undefined) return undefined;
  const family = parts.length === 4 ? 4 : 6;
  if (length === undefined) return rangeOf(family, numberOf(parts), 0n);
  // In IPv4's part of IPv6 the bits would be counted from another place.
  if (family === 4 && address.includes(":")) return undefined;
  const width = family === 4 ? 32 : 128;
  if (Number(length) > width) return undefined;
  const span = (1n << BigInt(width - Number(length))) - 1n;
  const first = numberOf(parts);
  return (first & span) === 0n ? rangeOf(family, first, span) : "crooked";
}

function rangeOf(family: 4 | 6, first: bigint, span: bigint): AddressRange {
  return { family, first, last: first + span };
}

/** 4 bytes, or 8 groups of 16 bits. */
function numberOf(parts: readonly number[]): bigint {
  const width = parts.length === 4 ? 8n : 16n;
  return parts.reduce((number, part) => (number << width) | BigInt(part), 0n);
}

/** Whether it is all of IPv4 or all of IPv6. */
export function isEverything({ family, first, last }: AddressRange): boolean {
  return first === 0n && last === (1n << (family === 4 ? 32n : 128n)) - 1n;
}

export function contains(range: AddressRange, other: AddressRange): boolean {
  return range.family === other.family && range.first <= other.first && other.last <= range.last;
}

/** Whether an IP address, IPv4 also as IPv6 shows it, is in a block like "10.0.0.0/16". */
export function isInNetwork(address: string, network: string): boolean {
  const [range, block] = [parseAddressRange(address), parseAddressRange(network)];
  return typeof range === "object" && typeof block === "object" && contains(block, range);
}

/** IPv4 blocks that the internet does not route: https://www.iana.org/assignments/iana-ipv4-special-registry */
const NOT_ROUTED: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
];

/** Whether the internet may reach it, were it not for a firewall. */
export function isPublic(address: string): boolean {
  const parts = parseIp(address);
  if (parts === undefined) return false;
  if (parts.length === 4) return !NOT_ROUTED.some((network) => isInNetwork(address, network));
  // All that is routed today is in 2000::/3; 2001:db8::/32 is for examples.
  return parts[0]! >> 13 === 1 && !(parts[0] === 0x2001 && parts[1] === 0xdb8);
}

/** Sorted, IPv4 first, with ranges that touch or overlap made one: equal sets of addresses give equal lists. */
export function mergeAddressRanges(ranges: Iterable<AddressRange>): readonly AddressRange[] {
  const merged: AddressRange[] = [];
  const order = (a: AddressRange, b: AddressRange) => a.family - b.family || (a.first < b.first ? -1 : 1);
  for (const range of [...ranges].sort(order)) {
    const before = merged.at(-1);
    if (before?.family === range.family && range.first <= before.last + 1n) {
      if (range.last > before.last) merged[merged.length - 1] = { ...before, last: range.last };
    } else merged.push(range);
  }
  return merged;
}

/** What `ranges` hold beyond `others`. */
export function without(
  ranges: Iterable<AddressRange>,
  others: Iterable<AddressRange>,
): readonly AddressRange[] {
  let left = mergeAddressRanges(ranges);
  for (const { family, first, last } of others) {
    left = left.flatMap((range) => {
      if (range.family !== family || last < range.first || range.last < first) return [range];
      const before = { ...range, last: first - 1n };
      const behind = { ...range, first: last + 1n };
      return [before, behind].filter((part) => part.first <= part.last);
    });
  }
  return left;
}

/** Whether both hold the same addresses, in whatever pieces. */
export function isSame(ranges: readonly AddressRange[], others: readonly AddressRange[]): boolean {
  return without(ranges, others).length === 0 && without(others, ranges).length === 0;
}

/** "10.0.0.0/8", "10.0.0.1" or, where it is no network, "10.0.0.1-10.0.0.9". */
export function showAddressRange({ family, first, last }: AddressRange): string {
  if (first === last) return showAddress(family, first);
  const size = last - first + 1n;
  const isNetwork = (size & (size - 1n)) === 0n && first % size === 0n;
  if (!isNetwork) return `${showAddress(family, first)}-${showAddress(family, last)}`;
  return `${showAddress(family, first)}/${(family === 4 ? 32 : 128) - (size.toString(2).length - 1)}`;
}

function showAddress(family: 4 | 6, number: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((number >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  ).join(":");
  // The longest run of zeros once, as RFC 5952 has it.
  const [longest] = [...groups.matchAll(/(?<![0-9a-f])0(:0)+(?![0-9a-f])/g)].sort(
    (a, b) => b[0].length - a[0].length,
  );
  if (longest === undefined) return groups;
  const [head, tail] = [groups.slice(0, longest.index), groups.slice(longest.index + longest[0].length)];
  return `${head.replace(/:$/, "")}::${tail.replace(/^:/, "")}`;
}
