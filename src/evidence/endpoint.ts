import { isSameIp, isWildcard } from "../ip.ts";

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Whether two sockets cannot both listen: the same port, on one address or on every one. */
export function overlap(a: Endpoint, b: Endpoint): boolean {
  if (a.port !== b.port) return false;
  return isWildcard(a.address) || isWildcard(b.address) || isSameIp(a.address, b.address);
}

export function showEndpoint({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
