import { isIPv6, SocketAddress } from "node:net";
import * as z from "zod";
import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
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
  if (names.length === 0) section.problem(["hosts"], "expected at least one host, found none");
  const hosts = new Map<HostName, HostDraft>();
  for (const name of names) {
    const path = ["hosts", name];
    const valid = hostName.safeParse(name);
    if (name === "all") section.problem(path, "'all' means every host: choose another name", { at: "key" });
    else if (!valid.success) {
      section.problem(path, `${valid.error.issues[0]?.message}, found '${name}'`, { at: "key" });
    }
    hosts.set(name, {
      name,
      entry: readEntry(section, path, steps),
      layers: readLayers(section, path, steps),
    });
  }
  reportSharedAddresses(section, hosts);
  return hosts;
}

/** The host's own keys; steps' parameters beside them are read as layers. */
function readEntry(section: Section, path: string[], steps: readonly StepName[]): HostDraft["entry"] {
  const beside = Object.fromEntries(steps.map((step) => [step, z.unknown().optional()]));
  return section.check(path, hostEntry.extend(beside) as unknown as typeof hostEntry);
}

function reportSharedAddresses(section: Section, hosts: ReadonlyMap<HostName, HostDraft>): void {
  const owners = new Map<string, HostName>();
  for (const { name, entry } of hosts.values()) {
    if (entry === undefined) continue;
    const address = canonicalAddress(entry.address);
    const owner = owners.get(address);
    if (owner === undefined) owners.set(address, name);
    else {
      const line = section.lineOf(["hosts", owner, "address"]);
      section.problem(
        ["hosts", name, "address"],
        `${entry.address} is the address of '${owner}' already (line ${line})`,
      );
    }
  }
}

/** One spelling for every way to write an IPv6 address. */
function canonicalAddress(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: "ipv6" }).address : address;
}
