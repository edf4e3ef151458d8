import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipAsync } from "@gfx/zopfli";
import { beforeAll, expect, it } from "vitest";
import { shortened, withParts } from "../../src/reader/pack.ts";
import { readerProgram } from "../../src/reader/program.ts";

const textOf = (file: string) => readFileSync(new URL(`../../src/reader/${file}`, import.meta.url), "utf8");
// Deparse goes by the numbers of lines.
const READER = withParts(textOf("reader.pl"), textOf).replace(/^#line .*\n/gm, "");

it("is at most 24 KiB on its way", async () => {
  const { script } = readerProgram();
  // As the build packs it.
  const program = await gzipAsync(shortened(READER).text, {});
  expect(Buffer.byteLength(script) + program.length).toBeLessThanOrEqual(24 * 1024);
});

/** What Perl makes of a program, as a program: without comments, in Perl's own lines. */
function asPerlReads(program: string): string[] {
  const lines = execFileSync("perl", ["-MO=-qq,Deparse", "-"], { input: program, encoding: "utf8" }).split(
    "\n",
  );
  // What modules declare comes in any order.
  return lines.filter((line) => !/^sub (?:POSIX|Fcntl|Socket)::\w+ \(\);$/.test(line));
}

let asWritten: readonly string[];
beforeAll(() => {
  asWritten = asPerlReads(READER.replace(/^ *(?:use|no) warnings\b.*\n/gm, ""));
});

/** With its own names again. */
function lengthened(program: string, { variables, functions }: ReturnType<typeof shortened>): string {
  const own = (short: ReadonlyMap<string, string>) =>
    new Map([...short].map(([name, other]) => [other, name]));
  const [variable, func] = [own(variables), own(functions)];
  return program
    .replace(/([$@%]#?\{?)(\w+)/g, (_, sigil, name) => sigil + (variable.get(name) ?? name))
    .replace(/(?<![\w$@%])_\w+/g, (name) => func.get(name) ?? name);
}

it("means the same with short names as with its own", () => {
  const short = shortened(READER);
  expect(short.variables.size + short.functions.size).toBeGreaterThan(300);
  const lines = asPerlReads(short.text);
  expect(lengthened(lines.join("\n"), short).split("\n")).toEqual(asWritten);
});

it("has no string with a word that reads like one of its variables", () => {
  const { variables } = shortened(READER);
  // Perl puts what it does not look for variables in between single quotes.
  const plain = asWritten.flatMap((line) => [
    ...line.matchAll(/'((?:[^'\\]|\\.)*)'/g),
    ...line.matchAll(/"((?:[^"\\]|\\.)*)"/g),
  ]);
  const named = plain.flatMap(([all, text]) => [
    ...text!.matchAll(all[0] === "'" ? /[$@%]#?\{?(\w+)/g : /(?:\\[$@]|%)(\w+)/g),
  ]);
  expect(named.map(([, name]) => name!).filter((name) => variables.has(name))).toEqual([]);
});

it("keeps words that are not a variable's or a function's", () => {
  const { text } = shortened(`# what is said
my ($name, @names) = ("name", "names are");
my %of_all = (name => 1);
  # of a name
  sub told_of { my ($name) = @_; return "told_of $name, @{names}: $of_all{name} $#names $names[0]" }
print told_of($names[0]), \\&told_of, $of_all{told_of};
`);
  expect(text).toBe(`my($d,@c)=("name","names are");my%e=(name=>1);\
sub _a{my($d)=@_; return"told_of $d, @{c}: $e{name} $#c $c[0]"}
print _a($c[0]),\\&_a,$e{told_of};`);
});
