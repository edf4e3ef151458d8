import { isIP } from "node:net";
import { isAbsolute, resolve } from "node:path";
import { namedList } from "../named-list.ts";
import { readAnsibleIni } from "./ansible-ini.ts";
import { type AnsibleInventory, type AnsibleVariable, newAnsible } from "./ansible-inventory.ts";
import { readAnsibleYaml } from "./ansible-yaml.ts";
import {
  type GivenText,
  inventoryName,
  type Named,
  type NamedHost,
  placeIn,
  wrongText,
} from "./named-host.ts";
import { isPort } from "./typed-hosts.ts";

/** Variables that say how a host is reached; the old names of Ansible 1 too. */
const TAKEN: Readonly<Record<string, "host" | "user" | "port" | "key">> = {
  ansible_host: "host",
  ansible_ssh_host: "host",
  ansible_user: "user",
  ansible_ssh_user: "user",
  ansible_port: "port",
  ansible_ssh_port: "port",
  ansible_ssh_private_key_file: "key",
  ansible_private_key_file: "key",
};
const TAKE_LIST = "take what `ansible-inventory --list` prints";
const MOST_DEPTH = 100;
/** Say nothing that meshctl would have to know. */
const NEEDLESS = /^ansible_(?:python_interpreter|become|become_method|become_user|connection|shell_type)$/;

/** Hosts and groups of an Ansible inventory in INI or YAML, or as `ansible-inventory --list` prints it. Throws InvalidFiles. */
export function ansibleHosts(given: GivenText): Named {
  const inventory = newAnsible();
  if (given.text.startsWith("$ANSIBLE_VAULT;")) throw wrongText(given, 0, `is encrypted: ${TAKE_LIST}`);
  if (isYaml(given)) readAnsibleYaml(given, inventory);
  else readAnsibleIni(given, inventory);
  if (inventory.hosts.size === 0) throw wrongText(given, 0, "the Ansible inventory names no host");
  return resolved(given, inventory);
}

/** By its name, else by the first line that says something: "all:" and "{" are no INI. */
function isYaml({ file, text }: GivenText): boolean {
  if (/\.(?:ya?ml|json)$/i.test(file)) return true;
  if (/\.(?:ini|cfg)$/i.test(file)) return false;
  const first = text.split("\n").find((line) => !/^\s*(?:[#;]|$)/.test(line)) ?? "";
  return /^(?:\s*\{|---|%YAML|\s*- |\s*(?:[\w.-]+|"[^"]*"|'[^']*')\s*:(?:\s|$))/.test(first);
}

function resolved(given: GivenText, inventory: AnsibleInventory): Named {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const tree = groupTree(given, inventory);
  const left = new Set<string>();
  const notes: string[] = [];
  const hosts: NamedHost[] = [];
  for (const [name, { offset }] of inventory.hosts) {
    const known = inventoryName(name);
    if (known === undefined || taken.has(known))
      throw wrongText(
        given,
        offset,
        `'${name}' would be '${known ?? ""}' in meshctl's inventory, which ${known === undefined ? "is no name" : "is another host's name"}`,
      );
    const variables = variablesOf(inventory, tree, name);
    if (variables.get("ansible_connection")?.value === "local") {
      notes.push(`${name} is left out: its ansible_connection is local`);
      continue;
    }
    names.set(name, known);
    taken.add(known);
    for (const key of variables.keys()) if (!Object.hasOwn(TAKEN, key) && !NEEDLESS.test(key)) left.add(key);
    hosts.push(namedHost(given, name, known, offset, variables));
  }
  if (left.size > 0) notes.push(`variables that meshctl has no use for: ${namedList([...left], 6)}`);
  const groups = new Map<string, readonly string[]>();
  for (const group of inventory.groups.keys()) {
    if (group === "all" || group === "ungrouped") continue;
    const members = (tree.members.get(group) ?? []).flatMap((host) => names.get(host) ?? []);
    if (members.length > 0) groups.set(group, members);
  }
  return { hosts, groups, notes };
}

function namedHost(
  given: GivenText,
  name: string,
  known: string,
  offset: number,
  variables: ReadonlyMap<string, AnsibleVariable>,
): NamedHost {
  const found = new Map<string, AnsibleVariable>();
  for (const [key, variable] of variables) {
    if (!Object.hasOwn(TAKEN, key)) continue;
    if (/\{\{|\{%/.test(variable.value) || variable.isUnread === true)
      throw wrongText(
        given,
        variable.offset,
        `${key} of '${name}' is not plain text, and meshctl fills in no templates: ${TAKE_LIST}`,
      );
    found.set(TAKEN[key]!, variable);
  }
  const port = found.get("port");
  if (port !== undefined && !isPort(port.value))
    throw wrongText(given, port.offset, `ansible_port of '${name}': expected 1–65535`);
  const host = found.get("host")?.value ?? name;
  const user = found.get("user")?.value;
  const key = found.get("key")?.value;
  return {
    name: known,
    ssh: {
      host,
      ...(user === undefined ? {} : { user }),
      ...(port === undefined ? {} : { port: Number(port.value) }),
      // Ansible starts a relative path at the folder that it runs in.
      ...(key === undefined ? {} : { identityFile: /^~/.test(key) || isAbsolute(key) ? key : resolve(key) }),
    },
    ...(isIP(host) === 0 ? {} : { address: host }),
    from: placeIn(given, offset),
  };
}

interface GroupTree {
  /** Hosts of each group and of the groups in it, in the order of the file. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** Groups that each host is in, in the order in which their variables count. */
  readonly groupsOf: ReadonlyMap<string, readonly string[]>;
}

/** A group's variables count behind those of the groups that hold it, and by the alphabet among equals. */
function groupTree(given: GivenText, { groups, hosts }: AnsibleInventory): GroupTree {
  const depths = depthsOf(given, groups);
  const order = new Map([...hosts.keys()].map((host, at) => [host, at]));
  const members = new Map<string, readonly string[]>();
  const groupsOf = new Map<string, string[]>([...hosts.keys()].map((host) => [host, []]));
  const sorted = [...groups.keys()].sort((a, b) => depths.get(a)! - depths.get(b)! || (a < b ? -1 : 1));
  for (const group of sorted) {
    const seen = new Set([group]);
    for (const each of seen) for (const child of groups.get(each)?.children ?? []) seen.add(child);
    const own = new Set([...seen].flatMap((each) => [...(groups.get(each)?.hosts ?? [])]));
    const all = group === "all" ? [...hosts.keys()] : [...own].sort((a, b) => order.get(a)! - order.get(b)!);
    members.set(group, all);
    for (const host of all) groupsOf.get(host)!.push(group);
  }
  return { members, groupsOf };
}

/** How many groups at most hold each other around each; a circle of groups ends where it closes. */
function depthsOf(given: GivenText, groups: AnsibleInventory["groups"]): ReadonlyMap<string, number> {
  const holders = new Map<string, string[]>();
  for (const [name, { children }] of groups)
    for (const child of children) {
      const all = holders.get(child) ?? [];
      all.push(name);
      holders.set(child, all);
    }
  const depths = new Map<string, number>([["all", 0]]);
  const tooDeep = wrongText(given, 0, `its groups are nested more than ${MOST_DEPTH} deep`);
  const depthOf = (group: string, within: number): number => {
    const known = depths.get(group);
    if (known !== undefined) return known;
    if (within > MOST_DEPTH) throw tooDeep;
    depths.set(group, 0);
    const above = (holders.get(group) ?? []).map((holder) => depthOf(holder, within + 1));
    const depth = 1 + above.reduce((most, each) => Math.max(most, each), 0);
    if (depth > MOST_DEPTH) throw tooDeep;
    depths.set(group, depth);
    return depth;
  };
  for (const group of groups.keys()) depthOf(group, 0);
  return depths;
}

/** As Ansible merges them: the host's own over those of its groups. */
function variablesOf(
  { groups, hosts }: AnsibleInventory,
  { groupsOf }: GroupTree,
  host: string,
): ReadonlyMap<string, AnsibleVariable> {
  return new Map([
    ...groupsOf.get(host)!.flatMap((group) => [...groups.get(group)!.variables]),
    ...hosts.get(host)!.variables,
  ]);
}
