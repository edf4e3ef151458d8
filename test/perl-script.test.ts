import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { perlScript } from "../src/perl-script.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-perl-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): URL {
  writeFileSync(join(folder, name), text);
  return pathToFileURL(join(folder, name));
}

it("is one program with its arguments and variables, and standard input is its own", () => {
  const words = fileOf("words.pl", "sub quoted { return \"'$_[0]'\" }\n");
  const program = fileOf(
    "program.pl",
    'print join("|", map { quoted($_) } @ARGV, $ENV{WORD}), "\\n", <STDIN>;\n',
  );
  const script = perlScript([words, program], { WORD: "it's $HOME" });
  const { stdout, stderr } = spawnSync("sh", ["-c", `set -- -e '--x y'\n${script}`], {
    input: "the rest\nof it\n",
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(stdout).toBe("'-e'|'--x y'|'it's $HOME'\nthe rest\nof it\n");
});

it("is the only way that Perl comes to stand in a shell script", () => {
  const source = join(import.meta.dirname, "../src");
  const scripts = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".sh"),
  );
  const mixed = scripts.filter((path) =>
    /\bperl\b[^\n]* -e '/.test(readFileSync(join(source, path), "utf8")),
  );
  // The loader of the reader: one line.
  expect(mixed).toEqual(["reader/start.sh"]);
});
