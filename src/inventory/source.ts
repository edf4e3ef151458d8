import { readFileSync, statSync } from "node:fs";
import { isatty } from "node:tty";
import { LineCounter, parseDocument } from "yaml";
import { Secret } from "../secret.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { fileError } from "./file-error.ts";
import { formatPath, type Path } from "./path.ts";
import type { References } from "./reference.ts";
import { plainSecrets, privateKeyLines } from "./secret-paths.ts";
import { syntaxProblems } from "./yaml-syntax.ts";
import { type Place, readYamlTree } from "./yaml-tree.ts";

interface Position {
  /** As the user named it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A YAML file, or several that were merged, as plain data in which every value still knows its place. */
export interface Source {
  /** As the user named it; of several the first. */
  readonly file: string;
  /** Whether its values stand in several files. */
  readonly isMerged?: true;
  readonly text: string;
  /** Maps, lists and scalars; a `Secret` where a secret's key holds a reference. Undefined when there is nothing to use. */
  readonly value: unknown;
  /** The path of what is written for it, where that is another: a range's. */
  written?(path: Path): Path;
  /** Where the key stands; of a list's element or a missing key, where the nearest thing that exists stands. */
  keyPosition(path: Path): Position;
  /** Where the value stands; of a block that begins below its key, where the key stands. */
  valuePosition(path: Path): Position;
  /** Keys of the map at the path in file order; empty when there is no map. */
  keys(path: Path): readonly string[];
  /** The value in words, for "found …": "'ssh'", "a map", "an empty value"; "nothing" where there is no such key. Never shows a secret. */
  found(path: Path): string;
}

/** A file by its path, or its text before it is written. */
export type FileOrText = string | { readonly file: string; readonly text: string };

const STARTS = "a path starts at the folder that meshctl runs in";
const NO_FILE = {
  inventory: `${STARTS}; \`meshctl init FILE\` writes a first inventory`,
  playbook: `${STARTS}; without -p meshctl takes playbooks/site.yaml there, or else its own`,
};

/** Reads and parses a file. Reports what is wrong with it as YAML instead of throwing. */
export function readSource(
  given: FileOrText,
  references: References,
  report: (diagnostic: Diagnostic) => void,
  what: "inventory" | "playbook" = "inventory",
): Source {
  const file = typeof given === "string" ? given : given.file;
  try {
    const text = typeof given === "string" ? textOf(given, references) : given.text;
    if (typeof text === "string") return parseSource(file, text, references, report);
    report({ file, line: text.line ?? 1, column: 1, path: "", message: text.problem });
    return emptySource(file);
  } catch (error) {
    const message = fileError(error);
    report({
      file,
      line: 1,
      column: 1,
      path: "",
      message,
      ...(message === "no such file" ? { hint: NO_FILE[what] } : {}),
    });
    return emptySource(file);
  }
}

/** Why a file gave no text, and the line where that shows. */
interface Unread {
  readonly problem: string;
  readonly line?: number;
}

/** The text of a file, of standard input ("-"), or what the file prints where it is a program. */
function textOf(file: string, references: References): string | Unread {
  if (file === "-" && isatty(0))
    return { problem: "expected an inventory on standard input, found a terminal" };
  const bytes = readFileSync(file === "-" ? 0 : file);
  if (file !== "-" && isProgram(file, bytes)) {
    const printed = references.printedBy(file);
    return "text" in printed ? printed.text : printed;
  }
  return utf8(bytes);
}

function utf8(bytes: Uint8Array): string | Unread {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { problem: "expected text in UTF-8, found UTF-16: save it as UTF-8" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const nul = text.indexOf("\0");
    if (nul === -1) return text;
    const line = text.slice(0, nul).split("\n").length;
    return { problem: "expected text, found a NUL character in this line: take it out", line };
  } catch (error) {
    // What is wrong stands behind what both read alike.
    const read = new TextDecoder().decode(bytes).split("\ufffd")[0]!;
    const line = read.split("\n").length;
    if (read.length === bytes.length) throw error;
    return { problem: "expected text in UTF-8, found other bytes in this line: save it as UTF-8", line };
  }
}

/** Files that may be run because nobody thought of it, as on a foreign file system, are none. */
function isProgram(file: string, bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 4)).toString("latin1");
  return (start.startsWith("#!") || start === "\x7fELF") && (statSync(file).mode & 0o111) !== 0;
}

function parseSource(
  file: string,
  text: string,
  references: References,
  report: (diagnostic: Diagnostic) => void,
): Source {
  for (const line of privateKeyLines(text)) new Secret(line);
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
    return { file, line, column: col };
  };
  const problems = syntaxProblems(document, text, (offset) => positionAt(offset).line);
  for (const { offset, message, hint } of problems) {
    report({ ...positionAt(offset), path: "", message, ...(hint === undefined ? {} : { hint }) });
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
        ...positionAt(offset),
        path: formatPath(path),
        message: message + first,
        ...(hint === undefined ? {} : { hint }),
      });
    },
  );

  const treePlace = (path: Path): Place | undefined => tree.places.get(JSON.stringify(path));
  const nearest = (path: Path): Place | undefined =>
    treePlace(path) ?? (path.length === 0 ? undefined : nearest(path.slice(0, -1)));
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
      const place = treePlace(path);
      if (place?.keyOffset === undefined || place.empty) {
        return place === undefined || place.empty ? keyPosition(path) : positionAt(place.offset);
      }
      const [key, value] = [positionAt(place.keyOffset), positionAt(place.offset)];
      return key.line === value.line ? value : key;
    },
    keys: (path) => treePlace(path)?.keys ?? [],
    found: (path) => treePlace(path)?.found ?? "nothing",
  };
}

/** Where the key stands, for the middle of a sentence: "line 7", or with its file where there are several. */
export function placeOf(source: Source, path: Path): string {
  const { file, line, column } = source.keyPosition(path);
  return source.isMerged ? `${file}:${line}:${column}` : `line ${line}`;
}

/** Stands for a file that could not be used: everything about it was reported already. */
function emptySource(file: string): Source {
  const start = { file, line: 1, column: 1 };
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
