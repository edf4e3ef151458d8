/** An IP address as numbers: 4 bytes or 8 groups of 16 bits; undefined when the text is none. */
export function parseIp(text: string): readonly number[] | undefined {
  const address = text.toLowerCase();
  return address.includes(":") ? parseIpv6(address) : parseIpv4(address);
}

function parseIpv4(text: string): readonly number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split("::").map((half) => groupsOf(half));
  const [head, tail] = halves;
  if (head === undefined || halves.length > 2 || halves.includes(undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
  // ::ffff:10.0.0.1 is how an IPv6 socket shows an IPv4 address: Java's listeners do.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]);
  }
  return groups;
}

function groupsOf(half: string): number[] | undefined {
  const groups: number[] = [];
  for (const part of half === "" ? [] : half.split(":")) {
    const bytes = parseIpv4(part);
    if (bytes !== undefined) groups.push(bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!);
    else if (/^[0-9a-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

export function isSameIp(a: string, b: string): boolean {
  const [left, right] = [parseIp(a), parseIp(b)];
  return left === undefined || right === undefined ? a === b : left.join() === right.join();
}

/** 0.0.0.0 or ::, on which a listener takes every address of the host. */
export function isWildcard(address: string): boolean {
  return address === "*" || (parseIp(address)?.every((part) => part === 0) ?? false);
}

export function isLoopback(address: string): boolean {
  const parts = parseIp(address);
  if (parts?.length === 4) return parts[0] === 127;
  return parts?.join() === "0,0,0,0,0,0,0,1";
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

/** An address block: the bits of its address that count. */
interface Network {
  readonly address: readonly number[];
  readonly bits: number;
}

/** "10.0.0.0/16" or "2001:db8::/32"; undefined when the text is none, or sets a bit behind those that count. */
export function parseNetwork(text: string): Network | undefined {
  const [, written = "", length = ""] = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseIp(written);
  const bits = Number(length);
  if (address === undefined || length === "" || bits > widthOf(address) * address.length) return undefined;
  // A block in IPv4's part of IPv6 would count the bits from another place.
  if (written.includes(":") && address.length === 4) return undefined;
  return bitsOf(address).includes("1", bits) ? undefined : { address, bits };
}

/** Whether an IP address, IPv4 also as IPv6 shows it, is in a block like "10.0.0.0/16". */
export function isInNetwork(address: string, network: string): boolean {
  const parts = parseIp(address);
  const block = parseNetwork(network);
  if (parts === undefined || block === undefined || parts.length !== block.address.length) return false;
  return bitsOf(parts).slice(0, block.bits) === bitsOf(block.address).slice(0, block.bits);
}

function widthOf(parts: readonly number[]): number {
  return parts.length === 4 ? 8 : 16;
}

function bitsOf(parts: readonly number[]): string {
  return parts.map((part) => part.toString(2).padStart(widthOf(parts), "0")).join("");
}
