import { isIP } from "node:net";
import { type AnsibleInventory, groupIn, hostIn } from "./ansible-inventory.ts";
import { namesOf, WRONG_RANGE } from "./name-ranges.ts";
import { type GivenText, wrongText } from "./named-host.ts";

interface Word {
  readonly text: string;
  readonly offset: number;
}

/** Reads an Ansible inventory in INI. Throws InvalidFiles at the first line that is none. */
export function readAnsibleIni(given: GivenText, into: AnsibleInventory): void {
  let section = { group: "ungrouped", kind: "hosts" };
  let offset = 0;
  for (const line of given.text.split("\n")) {
    const start = offset;
    offset += line.length + 1;
    const text = line.replace(/\r$/, "");
    if (/^\s*(?:[#;]|$)/.test(text)) continue;
    const indent = /^\s*/.exec(text)![0].length;
    if (text[indent] === "[" && !/^\s*\[[0-9a-zA-Z]+:[0-9a-zA-Z]+(?::\d+)?\]\S/.test(text)) {
      const [, group, kind = "hosts"] =
        /^\s*\[([^\]:\s]+)(?::(hosts|children|vars))?\]\s*(?:[#;].*)?$/.exec(text) ?? [];
      if (group === undefined)
        throw wrongText(
          given,
          start + indent,
          "expected a section like [GROUP], [GROUP:children] or [GROUP:vars]",
        );
      section = { group, kind };
      groupIn(into, group);
      continue;
    }
    readLine(given, text, start, section, into);
  }
}

function readLine(
  given: GivenText,
  line: string,
  start: number,
  { group, kind }: { readonly group: string; readonly kind: string },
  into: AnsibleInventory,
): void {
  if (kind === "vars") {
    const [, before = "", key, value] = /^(\s*)([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === undefined) throw wrongText(given, start, "expected a variable like ansible_user=ops");
    groupIn(into, group).variables.set(key, { value: unquoted(value!), offset: start + before.length });
    return;
  }
  const [first, ...rest] = wordsOf(given, line, start);
  if (first === undefined) return;
  if (kind === "children") {
    groupIn(into, group).children.add(first.text);
    groupIn(into, first.text);
    return;
  }
  const [, beforePort, port] = (isIP(first.text) === 0 && /^(.*[^:]):(\d+)$/.exec(first.text)) || [];
  const names = namesOf(beforePort ?? first.text);
  if (names === undefined) throw wrongText(given, first.offset, WRONG_RANGE);
  if (/[=/]/.test(first.text) || names.some((name) => /[[\]]/.test(name)))
    throw wrongText(given, first.offset, "expected a host's name");
  for (const name of names) {
    const host = hostIn(into, name, first.offset);
    groupIn(into, group).hosts.add(name);
    if (port !== undefined) host.variables.set("ansible_port", { value: port, offset: first.offset });
    for (const { text, offset } of rest) {
      const [, key, value] = /^([^=\s]+)=([\s\S]*)$/.exec(text) ?? [];
      if (key === undefined)
        throw wrongText(given, offset, "expected a variable like ansible_user=ops behind the host");
      host.variables.set(key, { value: value!, offset });
    }
  }
}

function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(value) ?? [];
  return inner ?? value;
}

/** Words as a shell parts them; a "#" that begins one ends the line. */
function wordsOf(given: GivenText, line: string, start: number): readonly Word[] {
  const words: Word[] = [];
  let word: { text: string; offset: number } | undefined;
  let quote: { sign: string; offset: number } | undefined;
  for (let at = 0; at < line.length; at++) {
    const sign = line[at]!;
    if (quote === undefined && /\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    if (word === undefined && sign === "#") return words;
    word ??= { text: "", offset: start + at };
    if (quote?.sign === sign) quote = undefined;
    else if (quote === undefined && (sign === '"' || sign === "'")) quote = { sign, offset: start + at };
    else if (sign === "\\" && quote?.sign !== "'" && at + 1 < line.length) word.text += line[++at];
    else word.text += sign;
  }
  if (quote !== undefined)
    throw wrongText(given, quote.offset, `the quote ${quote.sign} is not closed on its line`);
  return word === undefined ? words : [...words, word];
}
