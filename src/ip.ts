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
  if (a === b) return true;
  const [left, right] = [parseIp(a), parseIp(b)];
  return left !== undefined && right !== undefined && left.join() === right.join();
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
