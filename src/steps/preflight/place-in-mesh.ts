import { isPublic } from "../../address-range.ts";
import type { HostFacts } from "../../contract/host.ts";
import type { Reading } from "../../contract/reading.ts";
import { isLoopback, isSameIp, parseIp } from "../../ip.ts";
import { check } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";

/** The mesh address is an IP of this host that the other hosts can reach. */
export function addressReading(desired: PreflightDesired, { addresses }: HostFacts): Reading {
  const { address } = desired;
  const problem = addressProblem(desired, addresses);
  const isHere = addresses.some((one) => isSameIp(one, address));
  return check({
    setting: "address",
    want: `${address} on an interface`,
    found: isHere ? address : addresses.filter((one) => !isLoopback(one)).join(" ") || "none",
    source: "ip addr",
    fine: problem === undefined,
    because: problem,
    warning: isPublic(address) ? publicWarning(desired) : undefined,
  });
}

function addressProblem(
  { address, others }: PreflightDesired,
  addresses: readonly string[],
): string | undefined {
  if (parseIp(address) === undefined) {
    return `${address} is not an IP address: a name may mean another address on every host, so write the IP into the inventory`;
  }
  if (!addresses.some((one) => isSameIp(one, address))) {
    const has = addresses.filter((one) => !isLoopback(one)).join(", ") || "no address";
    return `${address} is on none of the host's interfaces, which have ${has}: correct the host's address in the inventory (its ssh.host may differ)`;
  }
  if (isLoopback(address) && others.length > 0) {
    return `${others.join(", ")} cannot reach ${address}: write an address into the inventory that the hosts share`;
  }
  return undefined;
}

function publicWarning({ address, member }: PreflightDesired): string {
  return member !== undefined
    ? `${address} is public and ZooKeeper listens on it without a password: let a firewall keep strangers out, or use a private address`
    : `${address} is public and the mesh's traffic is not encrypted: prefer a private address`;
}

/** A member that makes the number even is no help: the majority grows with it. */
export function ensembleReadings({ ensembleSize, member }: PreflightDesired): readonly Reading[] {
  if (member === undefined) return [];
  const survives = Math.floor((ensembleSize - 1) / 2);
  const members = ensembleSize === 1 ? "1 member" : `${ensembleSize} members`;
  return [
    check({
      setting: "ensemble size",
      want: "odd is best",
      found: `${members}, survives the loss of ${survives}`,
      source: "inventory: mesh.ensemble",
      fine: true,
      warning:
        ensembleSize % 2 === 0
          ? `an ensemble of ${ensembleSize} survives the loss of ${survives}, as one of ${ensembleSize - 1} does: add or remove a member`
          : undefined,
    }),
  ];
}
