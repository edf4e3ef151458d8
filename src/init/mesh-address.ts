import { isInNetwork, parseAddressRange } from "../address-range.ts";
import { isLoopback, isSameIp } from "../ip.ts";

const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
/** Bridges of a host's own that have the same address on many hosts. */
const BRIDGES = ["172.17.0.0/16", "192.168.122.0/24"];
const NO_ADDRESS = ["169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "224.0.0.0/4"];

/**
 * The address by which others reach a host. `told` is where it was said to be, or what its name resolves to; `own` are those
 * on its interfaces, undefined where nobody looked. Undefined where none will do.
 */
export function meshAddress(
  told: string | undefined,
  own: readonly string[] | undefined,
): string | undefined {
  const isUsable = (address: string) =>
    parseAddressRange(address) !== undefined &&
    !isLoopback(address) &&
    !NO_ADDRESS.some((network) => isInNetwork(address, network));
  if (told !== undefined && isUsable(told) && (own === undefined || own.some((each) => isSameIp(each, told))))
    return told;
  const usable = (own ?? []).filter(isUsable);
  const isIn = (networks: readonly string[]) => (address: string) =>
    networks.some((network) => isInNetwork(address, network));
  return (
    usable.find((address) => isIn(PRIVATE)(address) && !isIn(BRIDGES)(address)) ??
    usable.find((address) => !address.includes(":") && !isIn(BRIDGES)(address)) ??
    usable[0]
  );
}
