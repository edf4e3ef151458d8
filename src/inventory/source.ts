import { readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { Secret } from "../secret.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { fileError } from "./file-error.ts";
import { formatPath, type Path } from "./path.ts";
import type { References } from "./reference.ts";
import { plainSecrets } from "./secret-paths.ts";
import { syntaxProblems } from "./yaml-syntax.ts";
import { type Place, readYamlTree } from "./yaml-tree.ts";

interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML file as plain data in which every value still knows its place. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** Maps, lists and scalars; a `Secret` where a secret's key holds a reference. Undefined when there is nothing to use. */
  readonly value: unknown;
  /** Where the key stands; of a list's element or a missing key, where the nearest thing that exists stands. */
  keyPosition(path: Path): Position;
  /** Where the value stands; of a block that begins below its key, where the key stands. */
  valuePosition(path: Path): Position;
  /** Keys of the map at the path in file order; empty when there is no map. */
  keys(path: Path): readonly string[];
  /** The value in words, for "found …": "'ssh'", "a map", "an empty value"; "nothing" where there is no such key. Never shows a secret. */
  found(path: Path): string;
}

/** Reads and parses a file. Reports what is wrong with it as YAML instead of throwing. */
export function readSource(
  file: string,
  references: References,
  report: (diagnostic: Diagnostic) => void,
): Source {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
    return parseSource(file, text, references, report);
  } catch (error) {
    report({ file, line: 1, column: 1, path: "", message: fileError(error) });
    return emptySource(file);
  }
}

function parseSource(
  file: string,
  text: string,
  references: References,
  report: (diagnostic: Diagnostic) => void,
): Source {
  const lineCounter = new LineCounter();
  // Tags and duplicate keys are judged by the tree's reader, which knows the path and the first of the two.
  const document = parseDocument(text, {
    version: "1.2",
    lineCounter,
    prettyErrors: false,
    uniqueKeys: false,
  });
  const positionAt = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  const problems = syntaxProblems(document, text, (offset) => positionAt(offset).line);
  for (const { offset, message, hint } of problems) {
    report({ file, ...positionAt(offset), path: "", message, ...(hint === undefined ? {} : { hint }) });
  }
  if (problems.length > 0) {
    for (const value of plainSecrets(text)) new Secret(value);
    return { ...emptySource(file), text };
  }

  const tree = readYamlTree(
    document,
    text,
    file,
    references,
    ({ path, offset, message, hint, firstOffset }) => {
      const first = firstOffset === undefined ? "" : ` (first at line ${positionAt(firstOffset).line})`;
      report({
        file,
        ...positionAt(offset),
        path: formatPath(path),
        message: message + first,
        ...(hint === undefined ? {} : { hint }),
      });
    },
  );

  const placeOf = (path: Path): Place | undefined => tree.places.get(JSON.stringify(path));
  const nearest = (path: Path): Place | undefined =>
    placeOf(path) ?? (path.length === 0 ? undefined : nearest(path.slice(0, -1)));
  const keyPosition = (path: Path): Position => {
    const place = nearest(path);
    return positionAt(place?.keyOffset ?? place?.offset ?? 0);
  };
  return {
    file,
    text,
    value: tree.value,
    keyPosition,
    valuePosition(path) {
      const place = placeOf(path);
      if (place?.keyOffset === undefined || place.empty) {
        return place === undefined || place.empty ? keyPosition(path) : positionAt(place.offset);
      }
      const [key, value] = [positionAt(place.keyOffset), positionAt(place.offset)];
      return key.line === value.line ? value : key;
    },
    keys: (path) => placeOf(path)?.keys ?? [],
    found: (path) => placeOf(path)?.found ?? "nothing",
  };
}

/** Stands for a file that could not be used: everything about it was reported already. */
function emptySource(file: string): Source {
  const start = { line: 1, column: 1 };
  return {
    file,
    text: "",
    value: undefined,
    keyPosition: () => start,
    valuePosition: () => start,
    keys: () => [],
    found: () => "nothing",
  };
}
