import type * as z from "zod";
import { isPlainMap } from "../plain-map.ts";
import { checkSchema, meantKey, unknownKey } from "./check-schema.ts";
import type { Path } from "./path.ts";
import type { Problems } from "./problems.ts";
import { placeOf, type Source } from "./source.ts";

/** Values of one file, checked piece by piece, so that a mistake in one piece hides no mistake in another. */
export class Section {
  readonly source: Source;
  readonly #problems: Problems;

  constructor(source: Source, problems: Problems) {
    this.source = source;
    this.#problems = problems;
  }

  /** The raw value; undefined where there is none. */
  raw(path: Path): unknown {
    return valueAt(this.source.value, path);
  }

  problem(path: Path, message: string, options: Parameters<Problems["add"]>[2] = {}): void {
    this.#problems.add({ source: this.source, path }, message, options);
  }

  /** Whether something wrong was reported at the path or within it. */
  hasProblem(path: Path): boolean {
    return this.#problems.has(this.source.written?.(path) ?? path);
  }

  /** "expected …, found …" */
  unexpected(path: Path, expected: string): void {
    this.problem(path, `${expected}, found ${this.source.found(path)}`);
  }

  /** The typed value at the path, or undefined after reporting what is wrong with it. */
  check<T>(path: Path, schema: z.ZodType<T>, value = this.raw(path)): T | undefined {
    const locate = (inner: Path) => ({ source: this.source, path: [...path, ...inner] });
    return checkSchema(schema, value, locate, this.#problems.add.bind(this.#problems))?.value;
  }

  /** As `check`, for a section that may be left out or left empty. */
  checkOptional<T>(path: Path, schema: z.ZodType<T>): T | undefined {
    return this.raw(path) == null ? undefined : this.check(path, schema);
  }

  /** The map at the path; undefined, and reported unless nothing is there and it is optional, when it is none. */
  map(path: Path, options: { optional: boolean }): Readonly<Record<string, unknown>> | undefined {
    const value = this.raw(path);
    if (isPlainMap(value)) return value;
    if (!(options.optional && value == null)) this.unexpected(path, "expected a map");
    return undefined;
  }

  /** Reports the key at the end of the path, which is none of the known ones. */
  unknownKey(path: Path, known: readonly string[]): void {
    const key = String(path.at(-1));
    this.problem(path, unknownKey(key, known), { at: "key", meant: meantKey(key, known) });
  }

  /** Reports every key of the map at the path that is not known. */
  onlyKeys(path: Path, known: readonly string[]): void {
    for (const key of this.source.keys(path)) {
      if (!known.includes(key)) this.unknownKey([...path, key], known);
    }
  }

  /** "line 7", or with its file where there are several. */
  placeOf(path: Path): string {
    return placeOf(this.source, path);
  }

  /** The file that says what stands at the path: paths of files start beside it. */
  fileOf(path: Path): string {
    return this.source.keyPosition(path).file;
  }
}

/** The value at a path of plain data; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((here, key) => {
    if (!isPlainMap(here) && !Array.isArray(here)) return undefined;
    return Object.hasOwn(here, key) ? (here as Record<string | number, unknown>)[key] : undefined;
  }, value);
}
