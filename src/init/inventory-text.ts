import type { HostName } from "../host-name.ts";
import { findingOf } from "./findings.ts";
import { type LookedHost, seenOf } from "./looked-host.ts";
import { PROPOSED_GROUPS } from "./named-host.ts";
import { type Proposal, poolText } from "./proposal.ts";

/** Groups that the inventory has by itself. */
const OWN_GROUPS = [...PROPOSED_GROUPS, "backends", "all"];

export interface InventoryParts {
  readonly hosts: readonly LookedHost[];
  readonly groups: ReadonlyMap<string, readonly HostName[]>;
  readonly proposal: Proposal;
  readonly hostKeys?: "strict" | "accept-new" | "ask" | undefined;
  readonly knownHosts?: string | undefined;
  /** Where the hosts are from, in words: "~/.ssh/config". */
  readonly from: string;
}

/** A first inventory, with what it says explained. */
export function inventoryText(parts: InventoryParts): string {
  const { proposal } = parts;
  return `${[
    ...headOf(parts),
    "",
    ...sshOf(parts),
    ...(proposal.allowOs.length === 0
      ? []
      : [
          "",
          "# Releases that meshctl does not support. To let them in all the same:",
          `# allow_os: ${listOf(proposal.allowOs)}`,
        ]),
    "",
    ...meshOf(proposal),
    "",
    ...hostsOf(parts),
    "",
    ...groupsOf(parts),
  ].join("\n")}\n`;
}

function headOf({ from }: InventoryParts): readonly string[] {
  return [
    `# Who is in the mesh: made by meshctl init of ${comment(from)}.`,
    "# Every key that may stand here is explained in inventories/example.yaml, which comes with meshctl.",
    "version: 1",
  ];
}

/** What all hosts say stands once. */
export function sshOf({
  hosts,
  hostKeys,
  knownHosts,
}: Pick<InventoryParts, "hosts" | "hostKeys" | "knownHosts">): readonly string[] {
  const { user, identityFile, port } = common(hosts);
  const keys = [
    ...(user === undefined ? [] : [`  user: ${word(user)}`]),
    ...(port === undefined ? [] : [`  port: ${port}`]),
    ...(identityFile === undefined ? [] : [`  identity_file: ${word(identityFile)}`]),
    ...(knownHosts === undefined ? [] : [`  known_hosts: ${word(knownHosts)}`]),
    ...(hostKeys === undefined ? [] : [`  host_keys: ${hostKeys}`]),
  ];
  return [
    "# How hosts are reached. What is not said here is taken from ~/.ssh/config.",
    ...(keys.length === 0 ? ["# ssh: { user: ops, privilege: sudo }"] : ["ssh:", ...keys]),
  ];
}

/** What one host's `ssh` says beside that; undefined where its address alone tells. */
export function reachedBy(
  { ssh, address }: Pick<LookedHost, "ssh" | "address">,
  hosts: readonly LookedHost[],
): Readonly<Record<string, string | number>> | undefined {
  const shared = common(hosts);
  const entry = {
    ...(ssh.host === address ? {} : { host: ssh.host }),
    ...(ssh.user === undefined || shared.user !== undefined ? {} : { user: ssh.user }),
    ...(ssh.port === undefined || shared.port !== undefined ? {} : { port: ssh.port }),
    ...(ssh.identityFile === undefined || shared.identityFile !== undefined
      ? {}
      : { identity_file: ssh.identityFile }),
  };
  return Object.keys(entry).length === 0 ? undefined : entry;
}

function common(hosts: readonly LookedHost[]) {
  const same = <K extends "user" | "identityFile" | "port">(key: K) => {
    const values = new Set(hosts.map(({ ssh }) => ssh[key]));
    return values.size === 1 ? [...values][0] : undefined;
  };
  return { user: same("user"), identityFile: same("identityFile"), port: same("port") };
}

function meshOf({ ensemble, ports, services, nextPort, areProxiesSeen }: Proposal): readonly string[] {
  const usual = ports.client === 2181 && ports.quorum === 2888 && ports.election === 3888;
  const spare =
    ensemble.length === 1
      ? "no host of it may fail"
      : `${(ensemble.length - 1) / 2} of ${ensemble.length} may fail`;
  return [
    "mesh:",
    `  ensemble: zookeeper # keeps the registry; ${spare}`,
    "  proxies: proxies # each has an HAProxy that follows it",
    ...(usual
      ? []
      : [
          "  # The usual 2181, 2888 and 3888 are not all free on the ensemble's hosts.",
          `  zookeeper: { client_port: ${ports.client}, quorum_port: ${ports.quorum}, election_port: ${ports.election} }`,
        ]),
    ...(services.length === 0
      ? [
          "  # A service: applications call 127.0.0.1 and its port on every proxy host.",
          "  # services:",
          ...serviceOf("my-service", nextPort, areProxiesSeen).map((line) => `  # ${line.slice(2)}`),
        ]
      : [
          "  # Applications call 127.0.0.1 and the service's port on every proxy host.",
          "  services:",
          ...services.flatMap(({ name, port }) => serviceOf(name, port, areProxiesSeen)),
        ]),
  ];
}

function serviceOf(name: string, port: number, isFree: boolean): readonly string[] {
  return [
    `    ${word(name)}:`,
    `      path: /services/${name} # its live servers are the children of this znode`,
    `      port: ${port}${isFree ? " # free on every proxy host" : ""}`,
    "      mode: http",
    "      check: { http: GET /health } # how HAProxy tells a dead server; with http: false it only connects",
  ];
}

function hostsOf({ hosts, proposal }: InventoryParts): readonly string[] {
  return [
    proposal.isNewEnsemble
      ? "# address: the mesh address, by which hosts reach each other. zookeeper.id: never give it to another host."
      : "# address: the mesh address, by which hosts reach each other.",
    "hosts:",
    ...hosts.flatMap((host) => {
      const ssh = Object.entries(reachedBy(host, hosts) ?? {}).map(
        ([key, value]) => `${key}: ${typeof value === "number" ? value : word(value)}`,
      );
      const member = proposal.ensemble.indexOf(host.name);
      const keys = [
        `address: ${word(host.address)}`,
        ...(ssh.length === 0 ? [] : [`ssh: { ${ssh.join(", ")} }`]),
        ...(member === -1 || !proposal.isNewEnsemble ? [] : [`zookeeper: { id: ${member + 1} }`]),
      ];
      return [
        ...(host.seen === undefined ? [] : [`  # ${comment(findingOf(host))}`]),
        `  ${word(host.name)}: { ${keys.join(", ")} }`,
      ];
    }),
  ];
}

function groupsOf({ hosts, groups, proposal }: InventoryParts): readonly string[] {
  const { ensemble, proxies, databases, heapBytes, maxconn, virtualization } = proposal;
  return [
    "groups:",
    ...groupOf(
      "zookeeper",
      ensemble,
      heapBytes === undefined
        ? []
        : [
            "# The default heap, 1G, is more than the smallest member has room for.",
            `zookeeper: { heap: ${showSize(heapBytes)} }`,
          ],
    ),
    ...groupOf(
      "proxies",
      proxies,
      maxconn === undefined
        ? []
        : [
            "# The default, 50000, needs more open files than a host allows.",
            `haproxy: { maxconn: ${maxconn} }`,
          ],
    ),
    ...(databases.length === 0 ? [] : groupOf("databases", databases, databaseLines(hosts, proposal))),
    ...(virtualization.length === 0
      ? []
      : [
          "  # Hosts that are neither KVM machines nor bare metal are refused. To let them in all the same:",
          `  # everyone: { hosts: ${listOf(hosts.map(({ name }) => name))}, preflight: { virtualization: ${listOf(["kvm", "none", ...virtualization])} } }`,
        ]),
    ...sourceGroups(hosts, groups).map(([name, members]) => `  ${word(name)}: ${listOf(members)}`),
  ];
}

function databaseLines(hosts: readonly LookedHost[], proposal: Proposal): readonly string[] {
  const { databases, logFileBytes, pool } = proposal;
  const memory = hosts
    .filter(({ name }) => databases.includes(name))
    .flatMap((host) => seenOf(host)?.memoryBytes ?? []);
  const mib = Math.floor(Math.min(...memory) / 2 ** 20);
  const smallest = memory.length === 0 ? "the hosts were not looked at" : `the smallest host has ${mib}M`;
  const what = "percent" in pool ? "A share of each host's memory" : "Beside ZooKeeper's heap";
  const keys = [
    `buffer_pool_size: ${poolText(proposal)}`,
    ...(logFileBytes === undefined ? [] : [`log_file_size: ${showSize(logFileBytes)}`]),
  ];
  return [`# ${what}; ${smallest}.`, `mysql: { ${keys.join(", ")} }`];
}

/** Those of the hosts' source that have a name of their own. */
function sourceGroups(
  hosts: readonly LookedHost[],
  groups: ReadonlyMap<string, readonly HostName[]>,
): readonly (readonly [string, readonly HostName[]])[] {
  const taken = new Set([...OWN_GROUPS, "everyone", ...hosts.map(({ name }) => name)]);
  return [...groups].flatMap(([group, members]) => {
    if (PROPOSED_GROUPS.includes(group)) return [];
    const plain = group
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[._-]+/, "");
    const name = taken.has(plain) ? `${plain}-hosts` : plain;
    if (name === "" || taken.has(name)) return [];
    taken.add(name);
    return [[name, members] as const];
  });
}

function groupOf(name: string, hosts: readonly HostName[], lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [`  ${name}: ${listOf(hosts)}`];
  return [`  ${name}:`, `    hosts: ${listOf(hosts)}`, ...lines.map((line) => `    ${line}`)];
}

function listOf(words: readonly string[]): string {
  return `[${words.map(word).join(", ")}]`;
}

function showSize(bytes: number): string {
  return `${bytes / 2 ** 20}M`;
}

/** A word of YAML within brackets, quoted where it would be anything but text. */
function word(text: string): string {
  const isPlain =
    /^[A-Za-z/~][\w./~@%+-]*$/.test(text) && !/^(?:true|false|yes|no|on|off|null|~)$/i.test(text);
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(text);
  return isPlain || isAddress ? text : JSON.stringify(text);
}

/** What a host said, on one line of a comment. */
function comment(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}
