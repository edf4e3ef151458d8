import { createHash } from "node:crypto";
import { type AddressRange, contains, parseAddressRange, showAddressRange } from "../../address-range.ts";
import { TABLE } from "./paths.ts";

/** Which of a member's ports are open to whom. */
export interface Rules {
  readonly clientPort: number;
  /** Quorum and election. */
  readonly peerPorts: readonly [number, number];
  readonly clients: readonly AddressRange[];
  readonly members: readonly AddressRange[];
}

/**
 * Before the tables of others, which mostly stand at 0. It decides on no packet but in the drops: what it accepts the
 * chains behind it still judge, and what they accept it has dropped.
 */
export const PRIORITY = -10;

/** Names of the table's sets, one of each family. */
export const CLIENTS = { 4: "clients4", 6: "clients6" } as const;
export const MEMBERS = { 4: "members4", 6: "members6" } as const;

/** Addresses and networks of the inventory as ranges, in order, and none within another. */
export function sourcesOf(texts: readonly string[]): readonly AddressRange[] {
  const ranges = texts.map(parseAddressRange).filter((range) => typeof range === "object");
  const sorted = ranges.sort((a, b) => {
    if (a.family !== b.family) return a.family - b.family;
    if (a.first !== b.first) return a.first < b.first ? -1 : 1;
    return a.last > b.last ? -1 : 1;
  });
  const kept: AddressRange[] = [];
  for (const range of sorted) if (!kept.some((other) => contains(other, range))) kept.push(range);
  return kept;
}

/** The table in nft's language. It replaces an older one of its name in one transaction, and touches no other. */
export function renderRules(rules: Rules): string {
  return `# Written by meshctl: change the inventory, not this file.
# ZooKeeper's ports: clients may be proxies, registrars, members and what mesh.firewall names; peers are members.
table inet ${TABLE}
delete table inet ${TABLE}
table inet ${TABLE} {
${[
  set(CLIENTS[4], 4, rules.clients),
  set(CLIENTS[6], 6, rules.clients),
  set(MEMBERS[4], 4, rules.members),
  set(MEMBERS[6], 6, rules.members),
].join("\n")}
	chain input {
		type filter hook input priority ${PRIORITY}; policy accept;
${ruleLines(rules)
  .map((line) => `\t\t${line}\n`)
  .join("")}	}
}
`;
}

function set(name: string, family: 4 | 6, sources: readonly AddressRange[]): string {
  const elements = sources.filter((range) => range.family === family).map(showAddressRange);
  const list = elements.length === 0 ? "" : `\t\telements = {\n\t\t\t${elements.join(",\n\t\t\t")}\n\t\t}\n`;
  return `	set ${name} {
		type ipv${family}_addr
		flags interval
${list}	}
`;
}

/** The chain's rules, as nft prints them. */
export function ruleLines({ clientPort, peerPorts }: Rules): readonly string[] {
  const peers = `{ ${ascending(peerPorts).join(", ")} }`;
  const all = `{ ${ascending([clientPort, ...peerPorts]).join(", ")} }`;
  return [
    // Also the host's own addresses: it reaches all of them by way of the loopback.
    'iif "lo" accept',
    `tcp dport ${clientPort} ip saddr @${CLIENTS[4]} accept`,
    `tcp dport ${clientPort} ip6 saddr @${CLIENTS[6]} accept`,
    `tcp dport ${peers} ip saddr @${MEMBERS[4]} accept`,
    `tcp dport ${peers} ip6 saddr @${MEMBERS[6]} accept`,
    `tcp dport ${all} drop`,
  ];
}

/** The same rules as `nft -j` prints them. */
export function ruleExpressions({ clientPort, peerPorts }: Rules): readonly unknown[] {
  const port = (...ports: readonly number[]) =>
    match(
      { payload: { protocol: "tcp", field: "dport" } },
      ports.length === 1 ? ports[0] : { set: ascending(ports) },
    );
  const from = (protocol: string, name: string) =>
    match({ payload: { protocol, field: "saddr" } }, `@${name}`);
  const accept = { accept: null };
  return [
    [match({ meta: { key: "iif" } }, "lo"), accept],
    [port(clientPort), from("ip", CLIENTS[4]), accept],
    [port(clientPort), from("ip6", CLIENTS[6]), accept],
    [port(...peerPorts), from("ip", MEMBERS[4]), accept],
    [port(...peerPorts), from("ip6", MEMBERS[6]), accept],
    [port(clientPort, ...peerPorts), { drop: null }],
  ];
}

function match(left: unknown, right: unknown): unknown {
  return { match: { op: "==", left, right } };
}

function ascending(ports: readonly number[]): number[] {
  return [...ports].sort((a, b) => a - b);
}

/** Sources as a row shows them: all of a few, of many how many there are and a digest of which. */
export function showSources(sources: readonly AddressRange[]): string {
  if (sources.length === 0) return "nobody";
  const list = sources.map(showAddressRange).join(", ");
  if (sources.length <= 8) return list;
  return `${sources.length} sources (${createHash("sha256").update(list).digest("hex").slice(0, 8)})`;
}
