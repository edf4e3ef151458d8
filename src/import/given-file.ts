import { isMap, parseDocument } from "yaml";
import { parseHaproxyConfig } from "../haproxy/config.ts";
import { wordsOf } from "../haproxy-lines.ts";
import type { HostName } from "../host-name.ts";
import { readNerve } from "./nerve.ts";
import type { LeftOut } from "./service.ts";
import { mapOf, readSynapse } from "./synapse.ts";

/** A file as somebody has it. */
export interface GivenFile {
  readonly path: string;
  /** The host that it was read from, if any. */
  readonly host?: HostName;
  readonly text: string;
  /** Files of its `service_conf_dir`, .json and .yaml: name without ending → text. */
  readonly services?: ReadonlyMap<string, string>;
}

/** What a file of people who have SmartStack may be. Throws SyntaxError where it is none of theirs. */
export function kindOf({ text, services }: GivenFile) {
  if (isHaproxy(text)) {
    const { unconditional, leftOut } = withoutConditions(text);
    return { is: "haproxy", config: parseHaproxyConfig(unconditional), leftOut } as const;
  }
  const json = mapOf(smartstackIn(text));
  const more = [...(services ?? [])].map(([name, each]) => [name, smartstackIn(each)] as const);
  const all = { ...json, services: { ...mapOf(json.services), ...Object.fromEntries(more) } };
  const isNerve =
    "instance_id" in json || Object.values(all.services).some((each) => "checks" in mapOf(each));
  if (isNerve) return { is: "nerve", file: readNerve(all) } as const;
  return { is: "synapse", file: readSynapse(more.length > 0 ? all : json) } as const;
}

/** Whether it is haproxy.cfg: no brace begins it, and a line does one of its sections. */
export function isHaproxy(text: string): boolean {
  return !/^\s*\{/.test(text) && /^\s*(?:global|defaults|frontend|backend|listen)(?:\s|$)/m.test(text);
}

/** Undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return smartstackIn(text);
  } catch {
    return undefined;
  }
}

/**
 * As Synapse and Nerve read their files: YAML, of which JSON is a part, so that comments and a comma before a closing bracket
 * are none of its mistakes. Throws SyntaxError.
 */
export function smartstackIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Synapse has ERB fill its file in, and what would come of it is nowhere here.
    if (/<%[=#-]?[\s\S]*?%>/.test(text))
      throw new SyntaxError("holds ERB (<% … %>): import what ERB makes of it");
    // Ruby's YAML is 1.1.
    const document = parseDocument(text, { version: "1.1", uniqueKeys: false, prettyErrors: true });
    const [mistake] = document.errors;
    if (mistake !== undefined) throw new SyntaxError(mistake.message.split("\n")[0]!.replace(/:$/, ""));
    if (!isMap(document.contents)) return {};
    try {
      return document.toJS();
    } catch (error) {
      // An alias of nothing, or one of too many.
      throw new SyntaxError((error as Error).message);
    }
  }
}

/** Conditions (`.if`) are decided where HAProxy starts: the first branch is taken, and all of it said. */
function withoutConditions(text: string) {
  const leftOut: LeftOut[] = [];
  /** Of each condition that is open: whether its first branch is over. */
  const open: boolean[] = [];
  const lines = text.split("\n").map((line) => {
    const [word = "", ...more] = wordsOf(line);
    if (word === ".if") {
      open.push(false);
      const what = [word, ...more].join(" ");
      leftOut.push({ what, because: "an inventory has no conditions: what follows is taken as if it held" });
    } else if (word === ".elif" || word === ".else") open[open.length - 1] = true;
    else if (word === ".endif") open.pop();
    else if (word.startsWith("."))
      leftOut.push({ what: [word, ...more].join(" "), because: "an inventory has no such directive" });
    else if (!open.includes(true)) return line;
    else if (word !== "")
      leftOut.push({
        what: [word, ...more].join(" "),
        because: "it stands in another branch than the first",
      });
    return "";
  });
  return { unconditional: lines.join("\n"), leftOut };
}
