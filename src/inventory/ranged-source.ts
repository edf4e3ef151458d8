import { isPlainMap } from "../plain-map.ts";
import { formatPath, type Path } from "./path.ts";
import { namesInRange } from "./pattern.ts";
import type { Problems } from "./problems.ts";
import { valueAt } from "./section.ts";
import type { Source } from "./source.ts";

/** Keys of a host that differ from host to host, and so may hold a range as well. */
const OWN: readonly Path[] = [["address"], ["ssh", "host"], ["zookeeper", "id"]];

/**
 * An inventory whose ranges are written out: `kvm-[01:03]: { address: 10.0.0.[11:13] }` is three hosts, and in a group's list
 * it is their names. What stands in a range keeps its place, and a mistake in it is told once.
 */
export function rangedSource(source: Source, problems: Problems): Source {
  const ranges = new Ranges(source, problems);
  return ranges.isNone ? source : ranges.source();
}

class Ranges {
  readonly #source: Source;
  readonly #problems: Problems;
  /** Keys of hosts that are ranges, with the names that they stand for. */
  readonly #hosts = new Map<string, readonly string[]>();
  /** The key that a host comes from. */
  readonly #keys = new Map<string, string>();
  /** Of a group's list that holds a range, by its path: the index of what each member comes from. */
  readonly #members = new Map<string, readonly number[]>();

  constructor(source: Source, problems: Problems) {
    this.#source = source;
    this.#problems = problems;
    for (const name of source.keys(["hosts"])) {
      const names = namesInRange(name) ?? [];
      if (names.length > 0) this.#hosts.set(name, names);
    }
    for (const path of this.#lists()) {
      const list = valueAt(source.value, path) as readonly unknown[];
      const origins = list.flatMap((member, index) => membersOf(member).map(() => index));
      if (origins.length !== list.length) this.#members.set(formatPath(path), origins);
    }
  }

  get isNone(): boolean {
    return this.#hosts.size === 0 && this.#members.size === 0;
  }

  source(): Source {
    const { file, text, isMerged } = this.#source;
    const value = this.#value();
    const own = (path: Path) => this.#written(path);
    return {
      file,
      text,
      ...(isMerged && { isMerged }),
      value,
      written: own,
      keyPosition: (path) => this.#source.keyPosition(own(path)),
      valuePosition: (path) => this.#source.valuePosition(own(path)),
      keys: (path) =>
        path.length === 1 && path[0] === "hosts" ? [...this.#keys.keys()] : this.#source.keys(own(path)),
      found: (path) => this.#source.found(own(path)),
    };
  }

  #value(): unknown {
    const value = this.#source.value as Readonly<Record<string, unknown>>;
    const hosts = this.#expandedHosts();
    const groups = Object.fromEntries(
      Object.entries(isPlainMap(value.groups) ? value.groups : {}).map(([name, group]) => {
        if (Array.isArray(group)) return [name, group.flatMap(membersOf)];
        if (isPlainMap(group) && Array.isArray(group.hosts))
          return [name, { ...group, hosts: group.hosts.flatMap(membersOf) }];
        return [name, group];
      }),
    );
    return { ...value, ...(hosts && { hosts }), ...(isPlainMap(value.groups) && { groups }) };
  }

  #expandedHosts(): Readonly<Record<string, unknown>> | undefined {
    const { hosts } = this.#source.value as { readonly hosts?: unknown };
    if (!isPlainMap(hosts)) return undefined;
    const expanded: Record<string, unknown> = {};
    for (const key of this.#source.keys(["hosts"])) {
      const names = this.#hosts.get(key) ?? [key];
      const entries = this.#entries(key, names);
      for (const [at, name] of names.entries()) {
        const other = this.#keys.get(name);
        if (other === undefined) {
          this.#keys.set(name, key);
          expanded[name] = entries[at];
        } else {
          const { line } = this.#source.keyPosition(["hosts", other]);
          const words = `'${name}' is a host already (line ${line}, ${other})`;
          this.#problems.add({ source: this.#source, path: ["hosts", key] }, words, { at: "key" });
        }
      }
    }
    return expanded;
  }

  /** What stands under a key, for each of its hosts. */
  #entries(key: string, names: readonly string[]): readonly unknown[] {
    const entry = (this.#source.value as { readonly hosts: Readonly<Record<string, unknown>> }).hosts[key];
    let entries = names.map(() => entry);
    if (!this.#hosts.has(key)) return entries;
    for (const path of OWN) {
      const said = valueAt(entry, path);
      const each = typeof said === "string" ? namesInRange(said) : undefined;
      if (each === undefined) continue;
      if (each.length === names.length) {
        entries = entries.map((one, at) =>
          replaced(one, path, path[0] === "zookeeper" ? Number(each[at]) : each[at]),
        );
      } else {
        const words = `expected as many as ${key} has hosts, ${names.length}, found ${each.length}`;
        this.#problems.add({ source: this.#source, path: ["hosts", key, ...path] }, words);
      }
    }
    return entries;
  }

  /** Paths of the groups' lists. */
  #lists(): readonly Path[] {
    return this.#source.keys(["groups"]).flatMap((name): Path[] => {
      const paths = [
        ["groups", name],
        ["groups", name, "hosts"],
      ];
      return paths.filter((path) => Array.isArray(valueAt(this.#source.value, path)));
    });
  }

  /** A path as the file has it. */
  #written(path: Path): Path {
    const [section, name, ...rest] = path;
    if (section === "hosts" && typeof name === "string")
      return [section, this.#keys.get(name) ?? name, ...rest];
    const at = path.findIndex((each) => typeof each === "number");
    const origin = at === -1 ? undefined : this.#members.get(formatPath(path.slice(0, at)));
    return origin === undefined ? path : path.with(at, origin[path[at] as number] ?? 0);
  }
}

function membersOf(member: unknown): readonly unknown[] {
  const names = typeof member === "string" ? namesInRange(member) : undefined;
  // What is no range is told by its name.
  return names === undefined || names.length === 0 ? [member] : names;
}

function replaced(entry: unknown, [key, ...rest]: Path, value: unknown): unknown {
  const map = entry as Readonly<Record<string, unknown>>;
  return { ...map, [key!]: rest.length === 0 ? value : replaced(map[key!], rest, value) };
}
