import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type YAMLError } from "yaml";
import { type GivenText, wrongText } from "./named-host.ts";

/** A value of a YAML or JSON file that knows where it stands. */
export interface Placed {
  readonly offset: number;
  readonly is: "map" | "list" | "text" | "nothing" | "other";
  /** Of a map, in order. */
  readonly entries: readonly { readonly key: string; readonly offset: number; readonly value: Placed }[];
  /** Of a list. */
  readonly items: readonly Placed[];
  /** Of a scalar, as it is written. */
  readonly text: string;
}

/** As many aliases within each other. */
const MOST_DEPTH = 100;
/** Values that aliases may stand for in all: few lines of them can stand for billions. */
const MOST_ALIASED = 200_000;

/** The library's own words repeat the text, which may be a password. */
const WORDS: Partial<Record<YAMLError["code"], string>> = {
  TAB_AS_INDENT: "tabs cannot indent YAML: use spaces",
  MULTIPLE_DOCS: "expected one document, found another one after '---'",
  BAD_ALIAS: "an alias of YAML ('*') that stands for nothing",
  BLOCK_AS_IMPLICIT_KEY: "invalid YAML: a second ': ' on the same line, or a line indented too far",
  RESOURCE_EXHAUSTION: "invalid YAML: it is nested too deep",
};

/**
 * Parses YAML, and JSON with it. Tags give "other", what `<<` merges into a map stands in it. Throws InvalidFiles where it is
 * none, or one that is nested without measure.
 */
export function placedValue(given: GivenText): Placed {
  const document = parseDocument(given.text, {
    version: "1.2",
    merge: true,
    // The library compares each key with each.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [error] = document.errors;
  if (error !== undefined) throw wrongText(given, error.pos[0], syntaxWords(error.code));
  const open = new Set<Node>();
  const anchors = new Map<string, Node>();
  let [aliases, aliased] = [0, 0];
  const place = (node: Node | null): Placed => {
    const bare = { offset: node?.range?.[0] ?? 0, entries: [], items: [], text: "" };
    if (node === null) return { ...bare, is: "nothing" };
    if (aliases > 0 && ++aliased > MOST_ALIASED)
      throw wrongText(given, bare.offset, `its aliases stand for more than ${MOST_ALIASED} values`);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined || open.has(target) || open.size > MOST_DEPTH) return { ...bare, is: "other" };
      aliases++;
      try {
        return place(target);
      } finally {
        aliases--;
      }
    }
    if (node.anchor !== undefined && aliases === 0) anchors.set(node.anchor, node);
    if (node.tag?.startsWith("!")) return { ...bare, is: "other" };
    open.add(node);
    try {
      if (isMap(node)) return { ...bare, is: "map", entries: entriesOf(node.items as Pair[]) };
      if (isSeq(node)) return { ...bare, is: "list", items: node.items.map((item) => place(item as Node)) };
      if (!isScalar(node)) return { ...bare, is: "other" };
      return node.value === null
        ? { ...bare, is: "nothing" }
        : {
            ...bare,
            is: "text",
            text: typeof node.value === "string" ? node.value : (node.source ?? String(node.value)),
          };
    } finally {
      open.delete(node);
    }
  };
  /** A map's own keys win over what it merges, and of that the first. */
  const entriesOf = (pairs: readonly Pair[]): Placed["entries"] => {
    const own = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const { key, value } of pairs) {
      if (!isScalar(key)) continue;
      const placed = place(value as Node | null);
      if (key.source === "<<" && key.type === "PLAIN")
        merged.push(...(placed.is === "list" ? placed.items : [placed]).flatMap(({ entries }) => entries));
      else {
        const entry = { key: key.source ?? String(key.value), offset: key.range?.[0] ?? 0, value: placed };
        if (own.has(entry.key))
          throw wrongText(given, entry.offset, "invalid YAML: a key stands twice in a map");
        own.set(entry.key, entry);
      }
    }
    for (const entry of merged) if (!own.has(entry.key)) own.set(entry.key, entry);
    return [...own.values()];
  };
  return place(document.contents);
}

type Entry = Placed["entries"][number];

function syntaxWords(code: YAMLError["code"]): string {
  return WORDS[code] ?? `invalid YAML: ${code.toLowerCase().replaceAll("_", " ")}`;
}

export function entryOf({ entries }: Placed, key: string): Placed | undefined {
  return entries.find((entry) => entry.key === key)?.value;
}
