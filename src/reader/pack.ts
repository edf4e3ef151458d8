import { gzipSync } from "node:zlib";

/** A Perl program with its parts: each line "#include FILE" becomes that file, and Perl tells of its lines by its name. */
export function withParts(program: string, part: (file: string) => string): string {
  return program
    .split("\n")
    .map((line, at) => {
      const file = /^#include (\S+)$/.exec(line)?.[1];
      return file === undefined ? line : `#line 1 "${file}"\n${part(file)}#line ${at + 2} "reader.pl"`;
    })
    .join("\n");
}

/** A Perl program as it is sent. The build packs the reader: that takes as long as to ask a host. */
export function packed(program: string): Buffer {
  return gzipSync(shortened(program).text, { level: 9 });
}

export interface Shortened {
  readonly text: string;
  /** The short name of each variable, without its sigil. */
  readonly variables: ReadonlyMap<string, string>;
  /** The short name of each function. */
  readonly functions: ReadonlyMap<string, string>;
}

/**
 * A Perl program that does the same, without comments and with short names: of each variable that it declares by "my",
 * and of each function, "sub" at the beginning of a line. It gives no warnings: nobody would read them, and the module that
 * has them is a tenth of a start. One name becomes one short name wherever it stands, so names
 * that differ still do. A function is called with parentheses; any other call strict refuses.
 */
export function shortened(program: string): Shortened {
  const text = withoutComments(program).replace(/^(?:use|no) warnings\b.*\n/gm, "");
  const declared = [...text.matchAll(/\bmy (?:\(([^)]*)\)|([$@%]\w+))/g)].flatMap(([, some, one]) => [
    ...(some ?? one!).matchAll(/[$@%](\w+)/g),
  ]);
  const variables = shortNames(declared, text.matchAll(/[$@%]#?\{?(\w+)/g), "");
  const functions = shortNames([...text.matchAll(/^sub (\w+)/gm)], text.matchAll(/\b(\w+)\(/g), "_");
  const renamed = text
    .replace(/([$@%]#?\{?)(\w+)/g, (_, sigil, name) => sigil + (variables.get(name) ?? name))
    .replace(
      /(^sub |\\&|(?<![$@%&>\w])(?=\w+\())(\w+)/gm,
      (_, before, name) => before + (functions.get(name) ?? name),
    );
  // Perl needs no line breaks behind these.
  return { text: withoutBlanks(renamed.replace(/([;{,(])\n/g, "$1")), variables, functions };
}

const QUOTED = /\bq\{[^}]*\}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/.source;
const AROUND = / (=~?|=>|[!=<>]=|[?:<>*+{}]|&&|\|\|=?|\/\/=?|[.+]=|\.\.|<<|>>) /.source;
const BEHIND = /(,|\{|\b(?:my|if|for|while|unless|elsif|and|or|return|map|grep)) (?=[$@%"[({\\])/.source;
const BEFORE = / (?=\})|(?<=\)) (?=\{)/.source;
const BLANKS = new RegExp(`(${QUOTED})|${AROUND}|${BEHIND}|${BEFORE}`, "g");

/** Without the blanks that Perl does not need. What stands between slashes or braces may look alike: a test compares what Perl reads. */
function withoutBlanks(text: string): string {
  return text.replace(BLANKS, (_, quoted = "", mark = "", word = "") => quoted + mark + word);
}

/** A short name for each that is longer, the shortest for those that are used most. None of them is used as it is. */
function shortNames(
  declared: readonly RegExpExecArray[],
  uses: Iterable<RegExpExecArray>,
  prefix: string,
): Map<string, string> {
  const count = new Map<string, number>();
  for (const [, name] of uses) count.set(name!, (count.get(name!) ?? 0) + 1);
  const long = [...new Set(declared.map(([, name]) => name!))].filter((name) => name.length > 2);
  long.sort((one, other) => count.get(other)! - count.get(one)!);
  const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const free = ["", ...letters]
    .flatMap((first) => letters.map((letter) => `${prefix}${first}${letter}`))
    // Sort sets $a and $b.
    .filter((name) => !count.has(name) && name !== "a" && name !== "b");
  return new Map(long.map((name, index) => [name, free[index]!]));
}

/** Of Perl or shell. */
export function withoutComments(program: string): string {
  const lines = program.split("\n").map((line) => line.trimStart());
  return lines.filter((line) => line !== "" && !line.startsWith("#")).join("\n");
}
