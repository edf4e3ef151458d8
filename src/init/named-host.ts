import { isIP } from "node:net";
import { maskForeignSecrets } from "../foreign-secrets.ts";
import type { HostName } from "../host-name.ts";
import { InvalidFiles } from "../inventory/invalid-files.ts";

/** A host as somebody named it, before anybody has looked at it. */
export interface NamedHost {
  /** As the inventory can have it; or an address, of a host that nobody has named yet. */
  readonly name: HostName;
  readonly ssh: {
    /** Name, IP address or alias in ssh_config. */
    readonly host: string;
    readonly user?: string;
    readonly port?: number;
    readonly identityFile?: string;
  };
  /** The mesh address, where it was told: an IP address. */
  readonly address?: string;
  /** Where it was named: "hosts.ini:3:1", "--hosts". */
  readonly from: string;
}

/** What a source names, and what of it is left out, one sentence each. */
export interface Named {
  readonly hosts: readonly NamedHost[];
  /** Flattened. */
  readonly groups: ReadonlyMap<string, readonly HostName[]>;
  readonly notes: readonly string[];
}

/** Groups that a first inventory has: no host may have their names. */
export const PROPOSED_GROUPS: readonly string[] = ["zookeeper", "proxies", "databases"];

/**
 * A name as an inventory can have it: "KVM_01" is kvm-01, "proxies" is proxies-host. An IPv6 address stays one. Undefined
 * where nothing is left of it.
 */
export function inventoryName(name: string): HostName | undefined {
  if (isIP(name) === 6) return name.toLowerCase();
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "");
  if (plain === "" || plain === "all") return undefined;
  return PROPOSED_GROUPS.includes(plain) ? `${plain}-host` : plain;
}

/** A text with the name of its file, for messages with a place. */
export interface GivenText {
  readonly file: string;
  readonly text: string;
}

/**
 * A mistake in a file that hosts come from, with its place. Its lines are not shown, and `message` quotes no value: a file
 * that meshctl did not write may hold a password anywhere.
 */
export function wrongText(given: GivenText, offset: number, message: string): InvalidFiles {
  const { line, column } = positionIn(given, offset);
  return new InvalidFiles(
    [{ file: given.file, line, column, path: "", message: maskForeignSecrets(message) }],
    new Map(),
  );
}

/** "hosts.ini:3:1" */
export function placeIn(given: GivenText, offset: number): string {
  const { line, column } = positionIn(given, offset);
  return `${given.file}:${line}:${column}`;
}

/** Offsets at which the lines of a text begin: thousands of hosts ask for their places. */
const starts = new WeakMap<GivenText, readonly number[]>();

function positionIn(given: GivenText, offset: number): { readonly line: number; readonly column: number } {
  const known = starts.get(given) ?? [0, ...[...given.text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  starts.set(given, known);
  let [from, to] = [0, known.length];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (known[middle]! <= offset) from = middle;
    else to = middle;
  }
  return { line: from + 1, column: offset - known[from]! + 1 };
}
