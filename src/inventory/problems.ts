import type { Diagnostic } from "./diagnostic.ts";
import { formatPath, type Path } from "./path.ts";
import { shapeHint } from "./shape-hint.ts";
import type { Source } from "./source.ts";

/** A place in a file that a value came from, or would have stood at. */
export interface Origin {
  readonly source: Source;
  readonly path: Path;
}

/** No path is written so. */
const NO_MAP = "\0";

interface Words {
  readonly at?: "key" | "value";
  readonly hint?: string | undefined;
  /** The key with a value that would be right, where nothing better can be said. */
  readonly example?: string | undefined;
  /** Of an unknown key, the key beside it that it most likely means. */
  readonly meant?: string | undefined;
}

/** Where the message itself does not show what may be written. */
function exampleHint(message: string, example: string | undefined): string | undefined {
  const [, expected] = /^expected (.*), found .*$/s.exec(message) ?? [];
  if (example === undefined || expected === undefined) return undefined;
  const showsOne = /^(?:true or false|one of |[\d, ]+(?: or \d+)?$|HAProxy's word)/.test(expected);
  return showsOne ? undefined : `for example \`${example}\``;
}

/** Collects what is wrong with the files, so that all of it is reported at once. */
export class Problems {
  readonly #diagnostics = new Map<string, Diagnostic>();
  /** Those of keys that are not there, with the path of the map that lacks them. */
  readonly #missing = new Map<Diagnostic, string>();
  /** The last key that is not known, by the path of the map that holds it. */
  readonly #strange = new Map<string, Diagnostic>();
  /** Paths of keys that are there under a wrong name. */
  readonly #meant = new Set<string>();

  get count(): number {
    return this.#diagnostics.size;
  }

  /** At the value, or with `at: "key"` at its key. What is said of one place first is kept, later words are not. */
  add(origin: Origin, message: string, options: Words = {}): void {
    const { source } = origin;
    const path = source.written?.(origin.path) ?? origin.path;
    const hint = options.hint ?? shapeHint(path, message) ?? exampleHint(message, options.example);
    const position =
      options.at === "key" ? source.keyPosition(origin.path) : source.valuePosition(origin.path);
    const diagnostic = {
      ...position,
      path: formatPath(path),
      message,
      ...(hint === undefined ? {} : { hint }),
    };
    if (options.meant !== undefined) this.#meant.add(formatPath([...path.slice(0, -1), options.meant]));
    const parent = formatPath(path.slice(0, -1));
    if (message.endsWith(", found nothing")) this.#missing.set(diagnostic, parent);
    if (message.startsWith("unknown key")) this.#strange.set(parent, diagnostic);
    this.report(diagnostic);
  }

  /** Whether something is wrong at the path or within it. */
  has(path: Path): boolean {
    const here = formatPath(path);
    return [...this.#diagnostics.values()].some(
      (diagnostic) =>
        diagnostic.path === here ||
        ([".", "["].includes(diagnostic.path.slice(here.length)[0] ?? "") &&
          diagnostic.path.startsWith(here)),
    );
  }

  report(diagnostic: Diagnostic): void {
    const place = [diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.path].join("\0");
    if (!this.#diagnostics.has(place)) this.#diagnostics.set(place, diagnostic);
  }

  /**
   * By file in the order of `files`, then by position. A key that is missing beside an unknown one comes behind that, and is
   * left out where that was meant for it.
   */
  sorted(files: readonly string[]): Diagnostic[] {
    const causeOf = (diagnostic: Diagnostic) => this.#strange.get(this.#missing.get(diagnostic) ?? NO_MAP);
    return [...this.#diagnostics.values()]
      .filter((diagnostic) => causeOf(diagnostic) === undefined || !this.#meant.has(diagnostic.path))
      .map((diagnostic) => ({ diagnostic, at: causeOf(diagnostic) ?? diagnostic }))
      .sort(
        (a, b) =>
          files.indexOf(a.at.file) - files.indexOf(b.at.file) ||
          a.at.line - b.at.line ||
          a.at.column - b.at.column ||
          Number(a.at !== a.diagnostic) - Number(b.at !== b.diagnostic),
      )
      .map(({ diagnostic }) => diagnostic);
  }
}
