import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";
import { Secret } from "../secret.ts";
import type { Path } from "./path.ts";
import { isReferenceTag, resolveReference } from "./reference.ts";
import { isSecretPath } from "./secret-paths.ts";

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
  environment: NodeJS.ProcessEnv,
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
      place("nothing", { empty: true });
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
        report({ path, offset, message: `alias '*${node.source}' contains itself or is one of too many` });
        return null;
      }
      return read(target, path, keyOffset);
    }
    if (tag !== undefined && !(isReferenceTag(tag) && isScalar(node))) {
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
      return isScalar(node) ? readScalar(node, tag, path, place) : null;
    } finally {
      open.delete(node);
    }
  }

  type SetPlace = (found: string, extra?: Partial<Place>) => void;

  function readMap(node: Node & { items: unknown[] }, path: Path, place: SetPlace): unknown {
    const map: Record<string, unknown> = {};
    const keys = new Map<string, number>();
    for (const { key, value } of node.items as { key: Node | null; value: Node | null }[]) {
      const keyOffset = key?.range?.[0] ?? 0;
      if (!isScalar(key) || tagOf(key) !== undefined) {
        report({ path, offset: keyOffset, message: "expected a plain word as key" });
        continue;
      }
      // The text, not the value: 01 is a name, not the number 1.
      const name = key.source ?? String(key.value);
      const firstOffset = keys.get(name);
      if (firstOffset !== undefined) {
        report({ path: [...path, name], offset: keyOffset, message: "duplicate key", firstOffset });
        continue;
      }
      if (name === "__proto__" || name === "<<") {
        report({ path: [...path, name], offset: keyOffset, message: "unknown key" });
        continue;
      }
      keys.set(name, keyOffset);
      map[name] = read(value, [...path, name], keyOffset);
    }
    place(keys.size === 0 ? "an empty map" : "a map", { keys: [...keys.keys()] });
    return map;
  }

  function readScalar(node: Scalar, tag: string | undefined, path: Path, place: SetPlace): unknown {
    const secret = isSecretPath(path);
    if (tag !== undefined) {
      const name = String(node.source ?? "");
      const resolved = resolveReference(tag, name, file, environment);
      place(secret ? "a secret" : `the value of ${tag} ${name}`);
      if ("problem" in resolved) {
        const offset = tagOffset(tag, node.range?.[0] ?? 0);
        report({ path, offset, message: resolved.problem });
        return secret ? new Secret("") : "";
      }
      return secret ? new Secret(resolved.text) : resolved.text;
    }
    const value = node.value;
    if (value === null) {
      place("nothing", { empty: node.range?.[0] === node.range?.[1] });
      return null;
    }
    if (secret) {
      // It should not be here, but as it is: no code frame may show it.
      new Secret(node.source ?? String(value));
      place("plain text");
    } else {
      place(typeof value === "string" ? quote(value) : (node.source ?? String(value)));
    }
    return value;
  }

  function reportTag(tag: string, node: Node, path: Path, offset: number): void {
    if (isReferenceTag(tag)) {
      report({ path, offset, message: `expected text after ${tag}, found a map or a list` });
      return;
    }
    const written = isScalar(node) && node.source ? `${tag} ${node.source}` : tag;
    if (tag === "!command") {
      report({ path, offset, message: "!command is not supported yet: use !env NAME or !file PATH" });
      return;
    }
    const message = `'${tag}' without quotes is a YAML tag, and only !env and !file are known`;
    report({ path, offset, message, hint: `for a pattern put quotes around it: "${written}"` });
  }

  /** A node's range begins after its tag. */
  function tagOffset(tag: string, start: number): number {
    const at = text.lastIndexOf(tag, start);
    return at === -1 ? start : at;
  }

  return { value: read(document.contents, [], undefined), places };
}

/** The node's tag unless it is one of YAML's own. */
function tagOf(node: Node): string | undefined {
  const tag = node.tag;
  if (tag === undefined || /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/.test(tag))
    return undefined;
  return tag;
}

const MAX_SHOWN = 60;

function quote(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return `'${line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line}'`;
}
