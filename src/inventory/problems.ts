import type { Diagnostic } from "./diagnostic.ts";
import { formatPath, type Path } from "./path.ts";
import { shapeHint } from "./shape-hint.ts";
import type { Source } from "./source.ts";

/** A place in a file that a value came from, or would have stood at. */
export interface Origin {
  readonly source: Source;
  readonly path: Path;
}

/** Collects what is wrong with the files, so that all of it is reported at once. */
export class Problems {
  readonly #diagnostics = new Map<string, Diagnostic>();

  get count(): number {
    return this.#diagnostics.size;
  }

  /** At the value, or with `at: "key"` at its key. What is said of one place first is kept, later words are not. */
  add(
    origin: Origin,
    message: string,
    options: { at?: "key" | "value"; hint?: string | undefined } = {},
  ): void {
    const { source, path } = origin;
    const hint = options.hint ?? shapeHint(path, message);
    const position = options.at === "key" ? source.keyPosition(path) : source.valuePosition(path);
    this.report({
      ...position,
      path: formatPath(path),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  report(diagnostic: Diagnostic): void {
    const place = [diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.path].join("\0");
    if (!this.#diagnostics.has(place)) this.#diagnostics.set(place, diagnostic);
  }

  /** By file in the order of `files`, then by position. */
  sorted(files: readonly string[]): Diagnostic[] {
    return [...this.#diagnostics.values()].sort(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
  }
}
