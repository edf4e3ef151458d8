import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { isPlainMap } from "../plain-map.ts";
import { Secret } from "../secret.ts";
import type { Path } from "./path.ts";
import type { Origin, Problems } from "./problems.ts";
import { Section, valueAt } from "./section.ts";
import type { Source } from "./source.ts";

/**
 * Several files as one. Maps merge key by key and the members of a group are those of all files; anything else may be said
 * twice only with one value, and is reported with both places. The first file's keys come first. Each file says its version.
 */
export function mergedSource(sources: readonly [Source, ...Source[]], problems: Problems): Source {
  const [first, ...others] = sources;
  if (others.length === 0) return first;
  const usable = sources.filter((source) => source.value !== undefined && isInventory(source, problems));
  const merger = new Merger(problems);
  const value =
    usable.length === 0
      ? undefined
      : merger.merge(
          [],
          usable.map((source) => ({ source, path: [] })),
        );
  const originOf = (path: Path): Origin => merger.originOf(path) ?? { source: first, path };
  const asked =
    <T>(ask: (source: Source, path: Path) => T) =>
    (path: Path): T => {
      const { source, path: own } = originOf(path);
      return ask(source, own);
    };
  return {
    file: first.file,
    isMerged: true,
    text: "",
    value,
    written(path) {
      const { source, path: own } = originOf(path);
      return source.written?.(own) ?? path;
    },
    keyPosition: asked((source, path) => source.keyPosition(path)),
    valuePosition: asked((source, path) => source.valuePosition(path)),
    keys: (path) => merger.keysOf(path) ?? asked((source, own) => source.keys(own))(path),
    found: (path) =>
      merger.keysOf(path) === undefined ? asked((source, own) => source.found(own))(path) : "a map",
  };
}

function isInventory(source: Source, problems: Problems): boolean {
  const section = new Section(source, problems);
  // An empty file adds nothing, and is hardly meant.
  if (section.map([], { optional: false }) === undefined) return false;
  section.check(["version"], z.literal(1));
  return true;
}

/** Remembers of each value that it merged where it stands. */
class Merger {
  readonly #problems: Problems;
  readonly #origins = new Map<string, Origin>();
  readonly #keys = new Map<string, readonly string[]>();

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** What all of them say of the path; `origins` are those that say anything, at least one. */
  merge(path: Path, origins: readonly Origin[]): unknown {
    // A section that is left empty says nothing.
    const saying = origins.filter((origin) => saidBy(origin) !== null);
    const [first, ...others] = saying.length === 0 ? origins : saying;
    this.#origins.set(key(path), first!);
    if (others.length === 0) return saidBy(first!);
    const all = [first!, ...others];
    const are = (kind: (value: unknown) => boolean) => all.every((each) => kind(saidBy(each)));
    if (are(isPlainMap)) return this.#mergeMaps(path, all);
    if ((isGroup(path) || isMembers(path)) && are(Array.isArray)) return this.#unite(path, all);
    if (isGroup(path) && are((value) => isPlainMap(value) || Array.isArray(value)))
      return this.#mergeGroup(path, all);
    for (const other of others) this.#requireSame(first!, other);
    return saidBy(first!);
  }

  #mergeMaps(path: Path, origins: readonly Origin[]): unknown {
    const keys = [...new Set(origins.flatMap(({ source, path: own }) => source.keys(own)))];
    this.#keys.set(key(path), keys);
    return Object.fromEntries(
      keys.map((name) => [
        name,
        this.merge(
          [...path, name],
          origins.flatMap(({ source, path: own }) =>
            source.keys(own).includes(name) ? [{ source, path: [...own, name] }] : [],
          ),
        ),
      ]),
    );
  }

  /** A list in one file, and in another a map with the list under `hosts`. */
  #mergeGroup(path: Path, origins: readonly Origin[]): unknown {
    const maps = origins.filter((each) => isPlainMap(saidBy(each)));
    const merged = this.#mergeMaps(path, maps) as Record<string, unknown>;
    const lists = origins.flatMap(({ source, path: own }): Origin[] => {
      const list = Array.isArray(saidBy({ source, path: own })) ? own : [...own, "hosts"];
      return saidBy({ source, path: list }) === undefined ? [] : [{ source, path: list }];
    });
    this.#keys.set(key(path), [...new Set([...(this.keysOf(path) ?? []), "hosts"])]);
    return { ...merged, hosts: this.merge([...path, "hosts"], lists) };
  }

  /** Every name once, in the order in which they are said. */
  #unite(path: Path, origins: readonly Origin[]): unknown {
    const united: unknown[] = [];
    for (const { source, path: own } of origins) {
      for (const [at, member] of (saidBy({ source, path: own }) as unknown[]).entries()) {
        if (united.includes(member)) continue;
        this.#origins.set(key([...path, united.length]), { source, path: [...own, at] });
        united.push(member);
      }
    }
    return united;
  }

  #requireSame(first: Origin, other: Origin): void {
    if (isSame(saidBy(first), saidBy(other))) return;
    const { file, line, column } = first.source.valuePosition(first.path);
    const [here, there] = [other, first].map(({ source, path }) => source.found(path));
    const what = here === there ? "is not the same as" : `is ${here} here, and ${there}`;
    this.#problems.add(other, `${what} at ${file}:${line}:${column}`, {
      hint: "two files may say the same thing with the same value only: leave one of the two out",
    });
  }

  /** The merged path's own place, or within what was taken as a whole. */
  originOf(path: Path): Origin | undefined {
    for (let length = path.length; length >= 0; length--) {
      const origin = this.#origins.get(key(path.slice(0, length)));
      if (origin !== undefined)
        return { source: origin.source, path: [...origin.path, ...path.slice(length)] };
    }
    return undefined;
  }

  keysOf(path: Path): readonly string[] | undefined {
    return this.#keys.get(key(path));
  }
}

function isGroup(path: Path): boolean {
  return path.length === 2 && path[0] === "groups";
}

function isMembers(path: Path): boolean {
  return path.length === 3 && path[0] === "groups" && path[2] === "hosts";
}

function saidBy({ source, path }: Origin): unknown {
  return valueAt(source.value, path);
}

function isSame(one: unknown, other: unknown): boolean {
  // Secrets look alike to everybody else.
  if (one instanceof Secret && other instanceof Secret) return one.reveal() === other.reveal();
  return isDeepStrictEqual(one, other);
}

function key(path: Path): string {
  return JSON.stringify(path);
}
