import { type BootLine, showHow } from "../../daemon/boot-lines.ts";
import { DROP_IN } from "./drop-in.ts";
import { globMatches, isGlob, normaliseValue, procPathOf, sameSetting } from "./key.ts";

/** What such a line does to a key: a value that it surely sets, or undefined where that cannot be told. */
export interface LaterValue {
  readonly value: string | undefined;
  /** "FILE:LINE". */
  readonly source: string;
  /** As the end of a sentence: "rc-local.service runs it". */
  readonly how: string;
}

/** What lines make of a key (its path below /proc/sys), in the order in which they were found. */
export function laterValues(lines: readonly BootLine[], path: string): readonly LaterValue[] {
  return lines.flatMap((line) => {
    // A second reading of our own file sets what is wanted.
    if (line.line === 0 || line.path === DROP_IN) return [];
    const found = valueIn(line.text, path, line.by);
    if (found === undefined) return [];
    const how = showHow(line.by);
    // Only root's shells may set it.
    const value = line.by === "login" ? undefined : found.value;
    return [{ value, source: `${line.path}:${line.line}`, how }];
  });
}

/** Undefined when the line does not set the key. */
export function valueIn(
  text: string,
  path: string,
  by = "",
): { readonly value: string | undefined } | undefined {
  if (by === "tmpfiles") return tmpfilesValue(text, path);
  const set = assignmentsIn(text).filter(({ target }) => isNamed(target, path));
  const last = set.at(-1);
  if (last !== undefined) return { value: known(last.value) };
  return mayWrite(text, path) ? { value: undefined } : undefined;
}

function isNamed(target: string, path: string): boolean {
  return isGlob(target) ? globMatches(target, path) : sameSetting(target, path);
}

/** Undefined of what a shell, or another program, makes something else of. */
function known(value: string | undefined): string | undefined {
  return value === undefined || /[$`{}<>\\]/.test(value) || value === "" ? undefined : normaliseValue(value);
}

/** Type, path, mode, user, group, age, argument. */
function tmpfilesValue(text: string, path: string) {
  const [, target = "", argument = ""] =
    /^\s*w\S*\s+"?\/proc\/sys\/([^\s"]+)"?\s+\S+\s+\S+\s+\S+\s+\S+\s+(.*)$/.exec(text) ?? [];
  if (target === "" || !isNamed(target, path)) return undefined;
  return { value: normaliseValue(argument.replaceAll(/\\n$/g, "").replace(/^"(.*)"$/, "$1")) };
}

interface Set {
  readonly target: string;
  readonly value: string | undefined;
}

const KEY = String.raw`(?:net|vm|fs|kernel)[./][\w./*?[\]-]+`;
const FILE_LINE = new RegExp(String.raw`^\s*-?\s*(${KEY})\s*=\s*(.*?)\s*$`);
const GIVEN = new RegExp(String.raw`(["']?)(?<![\w./-])(${KEY})\s*=\s*("[^"]*"|'[^']*'|[^"';&|)]*)`, "g");
const WRITTEN = /(>>?\s*|\btee\b(?:\s+-a)?\s+)["']?\/proc\/sys\/([^\s"';|&)<]+)["']?(?:\s*<<<\s*(\S+))?/g;
/** As Python and its like do it: open("/proc/sys/…", "w").write("60"), Path("/proc/sys/…").write_text("60"). */
const CALLED =
  /\(\s*["']\/proc\/sys\/([^"']+)["'](?:\s*,\s*["'][wa]b?\+?["'])?\s*\)?\s*\.\s*write(?:_text|_bytes)?\((?:\s*(?:b?(["'])([^"']*)\2|(\d+))\s*\))?/g;
const UDEV = /SYSCTL\{([^}]+)\}\s*=\s*"([^"]*)"/g;

/** Each assignment to a key of the kernel that a line of a script or of a file makes. */
function assignmentsIn(text: string): readonly Set[] {
  const [, fileKey, fileValue = ""] = FILE_LINE.exec(text) ?? [];
  if (fileKey !== undefined) return [{ target: procPathOf(fileKey), value: unquoted(fileValue) }];
  const found: (Set & { readonly at: number })[] = [];
  for (const { 1: key = "", 2: value, index } of text.matchAll(UDEV))
    found.push({ target: procPathOf(key), value, at: index });
  for (const { 1: quote = "", 2: key = "", 3: given = "", index } of text.matchAll(GIVEN)) {
    // Quotes around all of it hold a value of several words.
    const value = quote === "" && !/^["']/.test(given) ? given.trim().split(/\s/, 1)[0] : unquoted(given);
    found.push({ target: procPathOf(key), value, at: index });
  }
  for (const { 1: how = "", 2: target = "", 3: word, index } of text.matchAll(WRITTEN)) {
    const value = word === undefined ? printed(text.slice(0, index), how) : unquoted(word);
    found.push({ target: target.replace(/\/+/g, "/"), value, at: index });
  }
  for (const { 1: target = "", 3: word, 4: number, index } of text.matchAll(CALLED))
    found.push({
      target: target.replace(/\/+/g, "/"),
      value: word?.replace(/\\n$/, "") ?? number,
      at: index,
    });
  return found.sort((a, b) => a.at - b.at);
}

/** What the command before a redirection, or before a pipe into tee, prints. */
function printed(before: string, how: string): string | undefined {
  const piped = how.startsWith("tee") ? /^(.*)\|\s*(?:\S*sudo\s+)?\S*$/.exec(before)?.[1] : before;
  const command = piped?.split(/[;&|(){}]|\b(?:then|do|else)\b/).at(-1) ?? "";
  const [, program, words = ""] = /(?:^|[\s'"/])(echo|printf)\s+(.*?)\s*\d?$/.exec(command) ?? [];
  const all = program === undefined ? undefined : words.replace(/^(?:-[neE]+\s+)+/, "");
  if (program !== "printf") return all && unquoted(all);
  const [, format = "", rest = ""] = /^("[^"]*"|'[^']*'|\S+)\s*(.*)$/.exec(all!) ?? [];
  const plain = unquoted(format).replace(/\\n$/, "");
  if (plain === "%s" || plain === "%d") return unquoted(rest);
  return plain.includes("%") ? undefined : plain;
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  const [, , inner] = /^(["'])(.*)\1$/.exec(trimmed) ?? [];
  return inner ?? trimmed;
}

/** Whether a line that names the key, and is no assignment that is known, may write it all the same. */
function mayWrite(text: string, path: string): boolean {
  if (mayWriteBelow(text, path)) return true;
  const whole = path.split(/[./]/).join("[./]");
  const leaf = path.slice(path.lastIndexOf("/") + 1);
  const isDistinct = leaf.length >= 9;
  const named = new RegExp(
    `(?<![\\w.-])(?:/proc/sys/)?${whole}(?![\\w-])${isDistinct ? `|(?<![\\w./-])${leaf}(?![\\w-])` : ""}`,
  );
  if (named.test(text))
    return /[>=]|\b(?:tee|dd|sed|cp|write\w*)\b|\bsysctl\b.*\s-\w*w|["'][wa]\+?["']/.test(text);
  // A part of the key in a variable may be any.
  const isWritten = /\bsysctl\b.*(?:\s-\w*w|=)|(?:>\s*|\btee\s.*)["']?\/proc\/sys|\bwrite/.test(text);
  const starred = isWritten ? text.replaceAll(/\$\{?\w+\}?/g, "*") : text;
  const globs = starred.match(new RegExp(KEY, "g")) ?? [];
  return globs.some((glob) => isGlob(glob) && globMatches(procPathOf(glob), path));
}

/** Whether a line goes to a directory of the kernel's, and writes there what fits the key: "cd /proc/sys/net/core && for each in *max; …". */
function mayWriteBelow(text: string, path: string): boolean {
  const [, directory = "", rest = ""] =
    /\bcd\s+["']?\/proc\/sys\/?([\w./*-]*)["']?\s*(?:&&|;)(.*)$/.exec(text) ?? [];
  if (!/>|\b(?:tee|dd|cp|write\w*)\b/.test(rest)) return false;
  const there = directory.replace(/\/+$/, "");
  return rest
    .split(/[\s"'=<>;&|()]+/)
    .filter((word) => /\w/.test(word))
    .some((word) => globMatches([there, word].filter(Boolean).join("/"), path));
}
