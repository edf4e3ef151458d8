import * as z from "zod";
import type { StepName } from "../contract/names.ts";
import { countryOf } from "./country-of.ts";
import { foreignForm } from "./foreign-form.ts";
import type { HostBeforePlaybook, ReadInventory } from "./inventory.ts";
import { nearestName } from "./nearest-name.ts";
import type { Problems } from "./problems.ts";
import { type GroupDraft, readGroups } from "./read-groups.ts";
import { readHosts } from "./read-hosts.ts";
import { readMesh } from "./read-mesh.ts";
import { readNetwork } from "./read-network.ts";
import { sshSettings } from "./read-ssh.ts";
import { allowOs, sshSection } from "./schema.ts";
import { Section } from "./section.ts";
import type { Source } from "./source.ts";

const KEYS = ["version", "ssh", "network", "allow_os", "mesh", "hosts", "groups"];

/**
 * The inventory as far as the file makes sense, so that the playbook can be checked against it too.
 * Undefined when not even the hosts' names can be told. Complete only when no problem was reported.
 */
export function readInventory(
  source: Source,
  steps: readonly StepName[],
  problems: Problems,
): ReadInventory | undefined {
  if (source.value === undefined) return undefined;
  const section = new Section(source, problems);
  if (source.value === null) {
    section.problem([], "the inventory is empty: expected 'version' and 'hosts'", {
      hint: "`meshctl init FILE` writes a first one, and inventories/example.yaml explains every key",
    });
    return undefined;
  }
  if (section.map([], { optional: false }) === undefined) return undefined;
  const foreign = foreignForm(source.keys([]), source.value);
  if (foreign !== undefined) {
    const { key, words } = foreign;
    section.problem([key], `unknown key; ${words}`, { at: "key" });
    return undefined;
  }
  if (section.raw(["service_watcher"]) !== undefined) {
    section.problem(["service_watcher"], "belongs under 'mesh', beside 'services'", { at: "key" });
  }
  section.onlyKeys([], KEYS);
  section.check(["version"], z.literal(1));

  const ssh = section.checkOptional(["ssh"], sshSection) ?? {};
  const network = readNetwork(section);
  const allowed = section.checkOptional(["allow_os"], allowOs) ?? [];
  const hosts = readHosts(section, steps);
  if (hosts === undefined) return undefined;
  // What a misspelt `groups` holds is not known: all that names a group would be an echo of that.
  const strange = source.keys([]).filter((key) => !KEYS.includes(key));
  if (section.raw(["groups"]) === undefined && strange.some((key) => nearestName(key, KEYS) === "groups"))
    return undefined;
  const groups = readGroups(section, [...hosts.keys()], steps);
  const mesh = readMesh(section, hosts, groups);

  const loaded = [...hosts.values()].map(
    ({ name, entry = { address: "" } }): HostBeforePlaybook => ({
      name,
      address: entry.address,
      country: countryOf(section, name, entry, groups),
      groups: groupsOf(name, groups),
      ssh: sshSettings(entry, ssh, (of, key) =>
        section.fileOf(of === "host" ? ["hosts", name, "ssh", key] : ["ssh", key]),
      ),
    }),
  );
  return {
    inventory: {
      file: source.file,
      hosts: new Map(loaded.map((host) => [host.name, host])),
      groups: new Map([...groups.values()].map((group) => [group.name, group.hosts])),
      rules: new Map(
        [...groups.values()]
          .filter(({ rules }) => Object.values(rules).some((rule) => rule !== undefined))
          .map(({ name, hosts: members, rules }) => [name, { hosts: members, ...rules }]),
      ),
      mesh,
      network,
      allowOs: allowed,
    },
    parameters: {
      groups: new Map([...groups.values()].map(({ name, layers }) => [name, layers])),
      hosts: new Map([...hosts.values()].map(({ name, layers }) => [name, layers])),
    },
    isSound: problems.count === 0,
  };
}

function groupsOf(host: string, groups: ReadonlyMap<string, GroupDraft>): string[] {
  return [...groups.values()].filter((group) => group.hosts.includes(host)).map(({ name }) => name);
}
