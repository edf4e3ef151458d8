import type { LabelRule } from "../contract/mesh.ts";
import { optionsRefusal } from "../haproxy/backend-policy.ts";
import { SERVER_OPTION_RULES } from "../haproxy/server-option-rules.ts";
import type { HostName } from "../host-name.ts";
import { isPicked, labelRules } from "../inventory/labels.ts";
import { serviceEntry } from "../inventory/schema.ts";
import { isServerFlag } from "./differences.ts";
import type { NerveFile } from "./nerve.ts";
import type { Entry } from "./service.ts";
import { mapOf } from "./synapse.ts";

/** What files hold. */
export interface Found {
  /** What all that is taken gets beside what the files say. */
  readonly usual: readonly string[];
  readonly notes: string[];
  readonly services: ReadonlyMap<string, { readonly entry: Entry; readonly notes: readonly string[] }>;
  readonly haproxy: Entry;
  readonly nerves: readonly Registrar[];
  readonly members: readonly string[];
}

/** What a host registers. */
export interface Registrar extends NerveFile {
  readonly host?: HostName | undefined;
}

/** What is found, with the hosts that it is on. */
export interface Placed extends Pick<Found, "notes" | "services" | "usual"> {
  /** First lines, comments. */
  readonly head: readonly string[];
  /** What provision does where it runs already. */
  readonly changes: readonly string[];
  /** Lines between version and mesh. */
  readonly ssh: readonly string[];
  readonly needsEnsemble: boolean;
  /** ZooKeeper's ports where they are not the usual ones. */
  readonly ports: Entry;
  readonly hosts: ReadonlyMap<string, { readonly entry: Entry; readonly note?: string }>;
  /** Name → hosts and parameters, by step. */
  readonly groups: readonly {
    readonly name: string;
    readonly hosts: readonly string[];
    readonly steps: Entry;
  }[];
}

/** What every service registers on a host; services that no path leads to are noted. */
export function registeredOf(
  nerve: Registrar,
  { services, notes }: Pick<Found, "services" | "notes">,
): Entry {
  const registered = new Map<string, Entry[]>();
  const left = (name: string, because: string) =>
    notes.push(`${nerve.instance}: ${name}: no place, ${because}`);
  for (const { name, path, entry } of nerve.registrations) {
    const sharing = [...services].filter(([, each]) => each.entry.path === path);
    const labels = mapOf(entry.labels);
    const [service] = sharing.find(([, each]) => isPicked(rulesOf(each.entry), labels)) ?? [];
    if (service === undefined) {
      left(
        name,
        sharing.length === 0
          ? `no service of these files has the path ${path}`
          : `no service of these files picks it from ${path} by its labels`,
      );
      continue;
    }
    const known = registered.get(service) ?? [];
    if (known.some(({ port }) => port === entry.port)) {
      left(name, `port ${entry.port} is registered at ${path} already, and would be one server`);
      continue;
    }
    const refused = allowing(services.get(service)!.entry, String(entry.server_options ?? ""));
    if (refused !== undefined)
      left(`${name} with "${entry.server_options}"`, `no proxy would take it: ${refused}`);
    else registered.set(service, [...known, entry]);
  }
  return Object.fromEntries(
    [...registered].map(([service, instances]) => [
      service,
      instances.length === 1 ? instances[0] : instances,
    ]),
  );
}

/** Has a service allow what one of its backends says of itself. Returns why that has no place; undefined where it has. */
function allowing(service: Entry, options: string): string | undefined {
  const allowed = (service.server_options_allowed ?? []) as readonly string[];
  if (optionsRefusal(allowed, options) === undefined) return undefined;
  const more = new Set(allowed);
  const words = options.split(" ");
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const isFlag = isServerFlag(word);
    const rule = Object.hasOwn(SERVER_OPTION_RULES, word);
    if (!rule) more.add(isFlag ? word : `${word} ${words[at + 1] ?? ""}`.trim());
    if (rule ? SERVER_OPTION_RULES[word] !== undefined : !isFlag) at++;
  }
  const read = serviceEntry.shape.server_options_allowed.safeParse([...more]);
  if (!read.success) return read.error.issues[0]!.message;
  const refused = optionsRefusal([...more], options);
  if (refused === undefined) service.server_options_allowed = [...more];
  return refused;
}

function rulesOf({ labels }: Entry): readonly LabelRule[] {
  return labels === undefined ? [] : labelRules.parse(labels);
}

/** Whether any of it needs ZooKeeper. */
export function asksForEnsemble({ services, nerves }: Found): boolean {
  return [...services.values()].some(({ entry }) => entry.path !== undefined) || nerves.length > 0;
}
