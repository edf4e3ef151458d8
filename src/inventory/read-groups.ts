import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import { namedList } from "../named-list.ts";
import { isPlainMap } from "../plain-map.ts";
import type { WaveRules } from "../waves.ts";
import { countryCode } from "./country.ts";
import { didYouMean } from "./nearest-name.ts";
import { type ParameterLayer, readLayers } from "./parameter-layer.ts";
import type { Path } from "./path.ts";
import { rangeMeant } from "./pattern.ts";
import { isHostName, mendedName } from "./read-hosts.ts";
import { groupName } from "./schema.ts";
import type { Section } from "./section.ts";
import { hold, mostFailures, waveSizes } from "./wave-schema.ts";

export interface GroupDraft {
  readonly name: string;
  /** Flattened, in the inventory's order of hosts. */
  readonly hosts: readonly HostName[];
  readonly layers: ReadonlyMap<StepName, ParameterLayer>;
  /** Of all its hosts, where it says so. */
  readonly country: string | undefined;
  readonly rules: WaveRules;
}

/** A name in a group's list, with its place. */
interface Member {
  readonly name: string;
  readonly path: Path;
}

/** The groups in file order, with groups in groups resolved. */
export function readGroups(
  section: Section,
  hosts: readonly HostName[],
  steps: readonly StepName[],
): ReadonlyMap<string, GroupDraft> {
  if (section.map(["groups"], { optional: true }) === undefined) return new Map();
  const names = section.source.keys(["groups"]);
  const members = new Map<string, readonly Member[]>();
  for (const name of names) {
    reportBadName(section, name, hosts);
    // A group may have the name of a step, which stands for its parameters here.
    const others = names.filter((each) => !steps.includes(each));
    members.set(name, readMembers(section, name, steps, [...hosts, ...others]));
  }
  reportUnknownMembers(section, members, hosts);
  reportCycles(section, members);
  return new Map(
    names.map((name) => {
      const flat = flatten(name, members, hosts);
      const ordered = hosts.filter((host) => flat.has(host));
      const layers = readLayers(section, ["groups", name], steps);
      const country = section.checkOptional(["groups", name, "country"], countryCode);
      const serial = section.checkOptional(["groups", name, "serial"], waveSizes);
      const maxFail = section.checkOptional(["groups", name, "max_fail"], mostFailures);
      const holdMs = section.checkOptional(["groups", name, "hold"], hold);
      return [name, { name, hosts: ordered, layers, country, rules: { serial, maxFail, holdMs } }];
    }),
  );
}

function reportBadName(section: Section, name: string, hosts: readonly HostName[]): void {
  const path = ["groups", name];
  const valid = groupName.safeParse(name);
  if (name === "all") {
    section.problem(path, "'all' means every host: choose another name", { at: "key" });
  } else if (hosts.includes(name)) {
    const there = section.placeOf(["hosts", name]);
    const hint = `choose another name, for example \`${name}s\``;
    section.problem(path, `'${name}' is a host already (${there})`, { at: "key", hint });
  } else if (!valid.success) {
    const mended = mendedName(name);
    const hint = groupName.safeParse(mended).success ? `write '${mended}'` : undefined;
    section.problem(path, `${valid.error.issues[0]?.message}, found '${name}'`, { at: "key", hint });
  }
}

const KEYS = ["hosts", "country", "serial", "max_fail", "hold"];

function readMembers(
  section: Section,
  group: string,
  steps: readonly StepName[],
  known: readonly string[],
): Member[] {
  const path = ["groups", group];
  const entry = section.raw(path);
  let listPath = path;
  if (isPlainMap(entry)) {
    const keys = Object.keys(entry);
    // A group or a host may have the name of a key.
    const isOfNames = keys.every((key) => known.includes(key) && !KEYS.includes(key));
    if (keys.length > 0 && isOfNames) {
      section.problem(path, "expected a list of hosts and groups, found a map of them", {
        hint: `names stand in a list: \`${group}: [${keys.join(", ")}]\``,
      });
      return [];
    }
    // Then its keys are told of as what they are: settings of the step.
    const isStep = steps.includes(group) && !Object.hasOwn(entry, "hosts");
    if (!isStep) section.onlyKeys(path, [...KEYS, ...steps]);
    listPath = [...path, "hosts"];
  } else if (!Array.isArray(entry)) {
    section.unexpected(path, "expected a list of hosts and groups, or a map with 'hosts'");
    return [];
  }
  const list = section.raw(listPath);
  if (!Array.isArray(list)) {
    const names = isPlainMap(list) ? Object.keys(list).join(", ") : "";
    const hint =
      names !== ""
        ? `names stand in a list: \`hosts: [${names}]\``
        : list === undefined && steps.includes(group)
          ? `settings of a step stand in a group that has hosts: \`${group}-hosts: { hosts: [kvm-01], ${group}: { … } }\``
          : undefined;
    section.problem(
      listPath,
      `expected a list of hosts and groups, found ${section.source.found(listPath)}`,
      { hint },
    );
    return [];
  }
  return list.flatMap((name, index) => {
    const memberPath = [...listPath, index];
    if (typeof name === "string") return [{ name, path: memberPath }];
    const found = section.source.found(memberPath);
    // A name that YAML takes for a number or for a yes.
    const isWord = typeof name === "number" || typeof name === "boolean";
    const hint = isWord
      ? `put quotes around it: "${found}"`
      : "an item is a name alone: `[kvm-01, kvm-02]`; for what belongs to the whole group it is a map: `{ hosts: [kvm-01] }`";
    section.problem(memberPath, `expected the name of a host or a group, found ${found}`, { hint });
    return [];
  });
}

function reportUnknownMembers(
  section: Section,
  members: ReadonlyMap<string, readonly Member[]>,
  hosts: readonly HostName[],
): void {
  const sound = hosts.filter(isHostName);
  // Those with another name than they may have, which is told where they stand.
  const meant = hosts.filter((name) => !sound.includes(name)).map(mendedName);
  const known = [...hosts, ...members.keys(), ...meant];
  const suggested = [...sound, ...members.keys()];
  // What a range stands for is not known where it is wrong, which is told where it stands.
  const wrongRanges = hosts.flatMap((name) => /^([^[{]+)[[{]/.exec(name)?.[1] ?? []);
  for (const { name, path } of [...members.values()].flat()) {
    if (!known.includes(name)) {
      if (wrongRanges.some((start) => name.startsWith(start))) continue;
      const meant = didYouMean(name, suggested);
      const hint = meant === "" ? membersHint(name, suggested) : undefined;
      section.problem(path, `no host or group is named '${name}'${meant}`, { hint });
    }
  }
}

const MOST_NAMES = 8;

/** What may stand in a group's list. */
function membersHint(name: string, names: readonly string[]): string | undefined {
  const range = rangeMeant(name);
  if (range !== undefined) return `a range is written "${range}"`;
  if (/[*?!&~]/.test(name)) return "a group's list holds names and ranges; a play's `hosts` may be a pattern";
  return names.length === 0 ? undefined : `there are ${namedList(names, MOST_NAMES)}`;
}

/** Reports each circle once, at the member that closes it. */
function reportCycles(section: Section, members: ReadonlyMap<string, readonly Member[]>): void {
  const done = new Set<string>();
  const visit = (group: string, trail: readonly string[]): void => {
    for (const { name, path } of members.get(group) ?? []) {
      if (!members.has(name) || done.has(name)) continue;
      const circle = trail.indexOf(name);
      if (circle === -1) visit(name, [...trail, name]);
      else
        section.problem(path, `groups hold each other: ${[...trail.slice(circle), name].join(" → ")}`, {
          hint: `take '${name}' out of this list, or name its hosts instead`,
        });
    }
    done.add(group);
  };
  for (const group of members.keys()) if (!done.has(group)) visit(group, [group]);
}

function flatten(
  group: string,
  members: ReadonlyMap<string, readonly Member[]>,
  hosts: readonly HostName[],
): ReadonlySet<HostName> {
  const seen = new Set<string>([group]);
  for (const name of seen) {
    // A set grows while it is walked: every group is followed once, also in a circle.
    for (const member of members.get(name) ?? []) seen.add(member.name);
  }
  return new Set(hosts.filter((host) => seen.has(host)));
}
