import { type AnsibleInventory, type AnsibleVariable, groupIn, hostIn } from "./ansible-inventory.ts";
import { namesOf, WRONG_RANGE } from "./name-ranges.ts";
import { type GivenText, wrongText } from "./named-host.ts";
import { entryOf, type Placed, placedValue } from "./yaml-nodes.ts";

/** Reads an Ansible inventory in YAML, or the JSON of `ansible-inventory --list`. Throws InvalidFiles where it is none. */
export function readAnsibleYaml(given: GivenText, into: AnsibleInventory): void {
  const root = placedValue(given);
  if (root.is !== "map")
    throw wrongText(given, root.offset, "expected a map of groups, like all: { hosts: { … } }");
  for (const { key, offset, value } of root.entries) {
    if (key === "_meta") {
      for (const host of entryOf(value, "hostvars")?.entries ?? [])
        readVariables(host.value, hostIn(into, host.key, host.offset).variables);
    } else if (key === "plugin") {
      throw wrongText(
        given,
        offset,
        "is the configuration of an Ansible plugin: take what `ansible-inventory --list` prints",
      );
    } else readGroup(given, key, offset, value, into);
  }
}

function readGroup(
  given: GivenText,
  name: string,
  offset: number,
  value: Placed,
  into: AnsibleInventory,
): void {
  const group = groupIn(into, name);
  if (value.is === "nothing") return;
  if (value.is !== "map")
    throw wrongText(given, offset, `'${name}' is no group: expected a map with hosts, children or vars`);
  for (const { key, offset: at, value: part } of value.entries) {
    if (key === "vars") readVariables(part, group.variables);
    else if (key === "hosts") {
      for (const host of membersOf(given, `${name}.hosts`, at, part)) {
        const names = namesOf(host.key);
        if (names === undefined) throw wrongText(given, host.offset, WRONG_RANGE);
        for (const one of names) {
          group.hosts.add(one);
          readVariables(host.value, hostIn(into, one, host.offset).variables);
        }
      }
    } else if (key === "children") {
      for (const child of membersOf(given, `${name}.children`, at, part)) {
        group.children.add(child.key);
        if (child.value === undefined) groupIn(into, child.key);
        else readGroup(given, child.key, child.offset, child.value, into);
      }
    } else
      throw wrongText(given, at, `unknown key '${name}.${key}' of a group; known are hosts, children, vars`);
  }
}

/** Names of a map or of a list, which `ansible-inventory --list` has. */
function membersOf(given: GivenText, what: string, at: number, value: Placed) {
  if (value.is === "nothing") return [];
  if (value.is === "map") return value.entries;
  if (value.is !== "list") throw wrongText(given, at, `expected a map of names in '${what}'`);
  return value.items.map((item) => ({ key: item.text, offset: item.offset, value: undefined }));
}

function readVariables(value: Placed | undefined, into: Map<string, AnsibleVariable>): void {
  for (const { key, offset, value: found } of value?.entries ?? [])
    into.set(key, {
      value: found.text,
      offset,
      ...(found.is === "text" ? {} : { isUnread: true as const }),
    });
}
