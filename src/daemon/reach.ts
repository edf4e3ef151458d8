import { BlockList, isIPv6 } from "node:net";

/** Where others reach a service. */
export interface Door {
  readonly port: number;
  /** On the loopback interface alone. */
  readonly isLocal: boolean;
  /** Of the addresses by which it is reached, where they are all of one. */
  readonly family?: Family | undefined;
}

export type Family = "ip" | "ip6";

/** The family that all of the addresses have; undefined where there are several, or "::", which takes both. */
export function familyOf(addresses: readonly string[]): Family | undefined {
  const found = new Set(addresses.map((each) => (each === "::" ? undefined : isIPv6(each) ? "ip6" : "ip")));
  return found.size === 1 ? [...found][0] : undefined;
}

/** How a service is reached, and whom it reaches itself. */
export interface Reach {
  readonly doors: readonly Door[];
  /** Addresses. */
  readonly peers: readonly string[];
}

/** What a line puts between a service and those that use it. */
export interface InTheWay {
  readonly does: string;
  /** All of its line before the command. */
  readonly before: string;
  /** Whether the line leaves open if it concerns the service. */
  readonly isSaid: boolean;
  /** Whether it stands in a file of rules, where no shell decides about it. */
  readonly isRule?: boolean;
  /** Whether starting the unit again does not take it back. */
  readonly lasts: true;
}

/** Whether a network holds so many that it is hardly meant for one. */
export function isWide(target: string): boolean {
  return Number(target.split("/")[1] ?? 128) < (target.includes(":") ? 64 : 24);
}

export function covers(target: string, address: string): boolean {
  const [net = "", length] = target.split("/");
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const list = new BlockList();
  try {
    if (length === undefined) list.addAddress(net, family);
    else list.addSubnet(net, Number(length), family);
  } catch {
    return false;
  }
  return list.check(address, family);
}
