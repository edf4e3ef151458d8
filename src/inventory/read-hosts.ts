import { isIPv6, SocketAddress } from "node:net";
import * as z from "zod";
import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import { isLoopback, isWildcard, parseIp } from "../ip.ts";
import { type ParameterLayer, readLayers } from "./parameter-layer.ts";
import { hostEntry, hostName } from "./schema.ts";
import type { Section } from "./section.ts";

/** A host as far as its entry makes sense: a host with a mistake stays known by its name. */
export interface HostDraft {
  readonly name: HostName;
  readonly entry: z.output<typeof hostEntry> | undefined;
  readonly layers: ReadonlyMap<StepName, ParameterLayer>;
}

/** The hosts in file order. Undefined when `hosts:` is no map. */
export function readHosts(
  section: Section,
  steps: readonly StepName[],
): ReadonlyMap<HostName, HostDraft> | undefined {
  if (section.map(["hosts"], { optional: false }) === undefined) return undefined;
  const names = section.source.keys(["hosts"]);
  if (names.length === 0)
    section.problem(["hosts"], "expected at least one host, found none", {
      hint: "for example `hosts: { kvm-01: { address: 10.0.0.1 } }`",
    });
  const hosts = new Map<HostName, HostDraft>();
  for (const name of names) {
    const path = ["hosts", name];
    const valid = hostName.safeParse(name);
    if (name === "all") section.problem(path, "'all' means every host: choose another name", { at: "key" });
    else if (!valid.success) {
      const mended = mendedName(name);
      const hint = isHostName(mended) ? `write '${mended}'` : rangeHint(name);
      section.problem(path, `${valid.error.issues[0]?.message}, found '${name}'`, { at: "key", hint });
    }
    hosts.set(name, {
      name,
      // What belongs to a range is not known where the range is wrong.
      entry: valid.success || !/[[{]/.test(name) ? readEntry(section, path, steps) : undefined,
      layers: readLayers(section, path, steps),
    });
  }
  reportSharedAddresses(section, hosts);
  reportUnreachable(section, hosts);
  return hosts;
}

export function isHostName(name: string): boolean {
  return hostName.safeParse(name).success;
}

/** Of a range as shells write it. */
function rangeHint(name: string): string | undefined {
  const [, before = "", first, last, behind = ""] = /^(.*)\{(\d+)(?:\.\.|[-:])(\d+)\}(.*)$/.exec(name) ?? [];
  return first === undefined ? undefined : `a range is written \`"${before}[${first}:${last}]${behind}"\``;
}

/** A name as it may be written that differs in capitals and lines. */
export function mendedName(name: string): string {
  return name.toLowerCase().replace(/[_ ]/g, "-");
}

/** The host's own keys; steps' parameters beside them are read as layers. */
function readEntry(section: Section, path: string[], steps: readonly StepName[]): HostDraft["entry"] {
  const beside = Object.fromEntries(steps.map((step) => [step, z.unknown().optional()]));
  return section.check(path, hostEntry.extend(beside) as unknown as typeof hostEntry);
}

/** Addresses that no other host can reach it by. One host by itself may be its own loopback. */
function reportUnreachable(section: Section, hosts: ReadonlyMap<HostName, HostDraft>): void {
  for (const { name, entry } of hosts.values()) {
    const kind = entry === undefined ? undefined : kindOf(entry.address);
    if (kind === undefined || (kind === "loopback" && hosts.size === 1)) continue;
    section.problem(
      ["hosts", name, "address"],
      `${entry!.address} is ${kind}: expected the address by which the other hosts reach it`,
      { hint: "`ip -brief address` on the host lists what it has" },
    );
  }
}

function kindOf(address: string): string | undefined {
  const parts = parseIp(address);
  if (parts === undefined) return undefined;
  if (isWildcard(address)) return "every address";
  if (isLoopback(address)) return "loopback";
  const [first, second] = parts as [number, number];
  if (parts.length === 8) {
    if (first >> 8 === 0xff) return "multicast";
    return first >> 6 === 0xfe80 >> 6 ? "link-local" : undefined;
  }
  if (first >= 224 && first < 240) return "multicast";
  if (parts.every((part) => part === 255)) return "broadcast";
  return first === 169 && second === 254 ? "link-local" : undefined;
}

function reportSharedAddresses(section: Section, hosts: ReadonlyMap<HostName, HostDraft>): void {
  const owners = new Map<string, HostName>();
  for (const { name, entry } of hosts.values()) {
    if (entry === undefined) continue;
    const address = canonicalAddress(entry.address);
    const owner = owners.get(address);
    if (owner === undefined) owners.set(address, name);
    else {
      const there = section.placeOf(["hosts", owner, "address"]);
      section.problem(
        ["hosts", name, "address"],
        `${entry.address} is the address of '${owner}' already (${there})`,
        { hint: "each host has an address of its own: correct one of the two" },
      );
    }
  }
}

/** One spelling for every way to write an IPv6 address. */
function canonicalAddress(address: string): string {
  // Node compiles a large pattern for the first isIPv6.
  return address.includes(":") && isIPv6(address)
    ? new SocketAddress({ address, family: "ipv6" }).address
    : address;
}
