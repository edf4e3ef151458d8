import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";
import { Secret } from "../secret.ts";
import type { Path } from "./path.ts";
import { isReferenceTag, type References, type ReferenceTag } from "./reference.ts";
import { isSecretPath, isSecretReference } from "./secret-paths.ts";
import { EMPTY, ENCRYPTED } from "./shape-hint.ts";

/** Where one value of a YAML file stands. Offsets count characters from the start of the text. */
export interface Place {
  readonly keyOffset: number | undefined;
  readonly offset: number;
  /** Whether nothing is written where the value would be. */
  readonly empty: boolean;
  /** The value in words. */
  readonly found: string;
  /** Of a map, in file order. */
  readonly keys?: readonly string[];
}

interface TreeProblem {
  readonly path: Path;
  readonly offset: number;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Where the first of two stands that may be there only once. */
  readonly firstOffset?: number | undefined;
}

interface Tree {
  readonly value: unknown;
  /** By the path as JSON. */
  readonly places: ReadonlyMap<string, Place>;
}

/** More aliases than any inventory needs; fewer than an expansion bomb does. */
const MAX_ALIASES = 100;

/** Turns a parsed document into plain data and the place of every value. References are resolved. */
export function readYamlTree(
  document: Document.Parsed,
  text: string,
  file: string,
  references: References,
  report: (problem: TreeProblem) => void,
): Tree {
  const places = new Map<string, Place>();
  const open = new Set<Node>();
  let aliases = 0;

  function read(node: Node | null, path: Path, keyOffset: number | undefined): unknown {
    const tag = node === null || isAlias(node) ? undefined : tagOf(node);
    const start = node?.range?.[0] ?? 0;
    const offset = tag === undefined ? start : tagOffset(tag, start);
    const place = (found: string, extra: Partial<Place> = {}): void => {
      places.set(JSON.stringify(path), { keyOffset, offset, empty: false, found, ...extra });
    };
    if (node === null) {
      place(EMPTY, { empty: true });
      return null;
    }
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) {
        place(`'*${node.source}'`);
        const message = `'*${node.source}' without quotes is a YAML alias`;
        report({ path, offset, message, hint: `put quotes around it: "*${node.source}"` });
        return null;
      }
      if (open.has(target) || ++aliases > MAX_ALIASES) {
        place("an alias");
        const hint = "write the value itself in its place";
        report({
          path,
          offset,
          message: `alias '*${node.source}' contains itself or is one of too many`,
          hint,
        });
        return null;
      }
      return read(target, path, keyOffset);
    }
    if (tag !== undefined) {
      const words = isReferenceTag(tag) ? wordsOf(node) : undefined;
      if (isReferenceTag(tag) && words !== undefined) return readReference(tag, words, path, offset, place);
      reportTag(tag, node, path, offset);
      place(`'${tag}'`);
      return null;
    }
    open.add(node);
    try {
      if (isMap(node)) return readMap(node, path, place);
      if (isSeq(node)) {
        place(node.items.length === 0 ? "an empty list" : "a list");
        return node.items.map((item, index) => read(item as Node, [...path, index], undefined));
      }
      return isScalar(node) ? readScalar(node, path, place) : null;
    } finally {
      open.delete(node);
    }
  }

  type SetPlace = (found: string, extra?: Partial<Place>) => void;

  function readMap(node: Node & { items: unknown[] }, path: Path, place: SetPlace): unknown {
    const start = node.range?.[0] ?? 0;
    if (text.startsWith("{{", start)) {
      place("a template");
      const hint = "write the value itself, or `!env NAME`";
      report({ path, offset: start, message: "'{{' begins no template: meshctl has none", hint });
      return null;
    }
    const map: Record<string, unknown> = {};
    const keys = new Map<string, number>();
    for (const { key, value } of node.items as { key: Node | null; value: Node | null }[]) {
      const keyOffset = key?.range?.[0] ?? 0;
      if (!isScalar(key) || tagOf(key) !== undefined) {
        const hint = "for example `kvm-01: { address: 10.0.0.1 }`";
        report({ path, offset: keyOffset, message: "expected a plain word as key", hint });
        continue;
      }
      // The text, not the value: 01 is a name, not the number 1.
      const name = key.source ?? String(key.value);
      const firstOffset = keys.get(name);
      if (firstOffset !== undefined) {
        const hint = "a map has each key once: leave one of the two out";
        report({ path: [...path, name], offset: keyOffset, message: "duplicate key", hint, firstOffset });
        continue;
      }
      if (name === "__proto__" || name === "<<") {
        const hint =
          name === "<<"
            ? "merge keys are of YAML 1.1 and not known here: repeat the keys, or use a group"
            : undefined;
        report({ path: [...path, name], offset: keyOffset, message: "unknown key", hint });
        continue;
      }
      keys.set(name, keyOffset);
      map[name] = read(value, [...path, name], keyOffset);
    }
    place(keys.size === 0 ? "an empty map" : "a map", { keys: [...keys.keys()] });
    return map;
  }

  function readReference(
    tag: ReferenceTag,
    words: string | readonly string[],
    path: Path,
    offset: number,
    place: SetPlace,
  ): unknown {
    const secret = isSecretReference(path);
    const resolved = references.resolve(tag, words, file, secret);
    place(secret ? "a secret" : `the value of ${[tag, words].flat().join(" ")}`);
    if ("problem" in resolved) {
      report({ path, offset, message: resolved.problem, hint: resolved.hint });
      return secret ? new Secret("") : "";
    }
    return secret ? new Secret(resolved.text) : resolved.text;
  }

  function readScalar(node: Scalar, path: Path, place: SetPlace): unknown {
    const secret = isSecretPath(path);
    const value = node.value;
    if (value === null) {
      const empty = node.range?.[0] === node.range?.[1];
      place(empty ? EMPTY : (node.source ?? "null"), { empty });
      return null;
    }
    if (secret) {
      // It should not be here, but as it is: no code frame may show it.
      new Secret(node.source ?? String(value));
      place(/^ENC\[/.test(String(value)) ? ENCRYPTED : "plain text");
    } else {
      place(typeof value === "string" ? quote(value) : (node.source ?? String(value)));
    }
    if (typeof value === "number" && /^-?0\d/.test(node.source ?? "")) {
      // Only a file's mode is octal, and text.
      const hint =
        path.at(-1) === "mode"
          ? `put quotes around it: "${node.source}"`
          : `write ${value}; where it is text, put quotes around it`;
      report({
        path,
        offset: node.range?.[0] ?? 0,
        message: `${node.source} begins with 0, which some read as octal`,
        hint,
      });
    }
    // As it is written: a double is another number.
    return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER
      ? (node.source ?? value)
      : value;
  }

  function reportTag(tag: string, node: Node, path: Path, offset: number): void {
    if (isReferenceTag(tag)) {
      const expected = tag === "!command" ? "text or a list of texts" : "text";
      report({
        path,
        offset,
        message: `expected ${expected} after ${tag}, found ${isMap(node) ? "a map" : "a list"}`,
      });
      return;
    }
    const written = isScalar(node) && node.source ? `${tag} ${node.source}` : tag;
    const message = `'${tag}' without quotes is a YAML tag, and only !env, !file and !command are known`;
    report({
      path,
      offset,
      message,
      hint:
        TAG_HINTS[tag.toLowerCase()] ??
        (isReferenceTag(tag.toLowerCase())
          ? `write it in small letters: \`${tag.toLowerCase()}\``
          : undefined) ??
        (path[0] === "groups"
          ? "a group's list holds names alone: leave this one out"
          : `for a pattern put quotes around it: "${written}"`),
    });
  }

  /** A node's range begins after its tag. */
  function tagOffset(tag: string, start: number): number {
    const at = text.lastIndexOf(tag, start);
    return at === -1 ? start : at;
  }

  return { value: read(document.contents, [], undefined), places };
}

const BY_REFERENCE =
  "a secret comes by reference: `!env NAME`, `!file PATH`, or `!command [sops, -d, --extract, …]` for what decrypts it";

const BY_COMMAND =
  "what a program prints is `!command [PROGRAM, ARGUMENT]`, for example `!command [pass, show, sudo]`";

/** What stands in the place of other tools' tags. */
const TAG_HINTS: Readonly<Record<string, string>> = {
  "!vault": BY_REFERENCE,
  "!secret": BY_REFERENCE,
  "!include": "no file includes another: several are read as one, `-i hosts.yaml -i mesh.yaml`",
  "!exec": BY_COMMAND,
  "!cmd": BY_COMMAND,
  "!shell": BY_COMMAND,
  "!sh": BY_COMMAND,
  "!pipe": BY_COMMAND,
  "!lookup": BY_REFERENCE,
  "!sops": BY_REFERENCE,
  "!ref": BY_REFERENCE,
  "!unsafe": "leave the tag out: meshctl has no templates",
};

/** The node's tag unless it is one of YAML's own. */
function tagOf(node: Node): string | undefined {
  const tag = node.tag;
  if (tag === undefined || /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/.test(tag))
    return undefined;
  return tag;
}

/** What stands after a reference's tag; undefined when it is neither text nor a plain list of texts. */
function wordsOf(node: Node): string | readonly string[] | undefined {
  if (isScalar(node)) return textOf(node);
  if (!isSeq(node)) return undefined;
  const words = node.items.flatMap((item) =>
    isScalar(item) && tagOf(item) === undefined ? [textOf(item)] : [],
  );
  return words.length === node.items.length ? words : undefined;
}

/** The text, not the value: 01 is a word, not the number 1. */
function textOf(node: Scalar): string {
  return node.source ?? String(node.value ?? "");
}

const MAX_SHOWN = 60;
/** Characters and runs of blanks, one more than are shown. */
const BEGINNING = new RegExp(`^(?:[^\\S\\u00a0]+|[\\S\\u00a0]){0,${MAX_SHOWN + 1}}`);

function quote(text: string): string {
  // A no-break space looks like a blank, and is what is wrong. Of a long text no more is read than is shown.
  const [start] = BEGINNING.exec(text)!;
  const line = start.replace(/[^\S\u00a0]+/g, " ");
  return `'${line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line}'`;
}
