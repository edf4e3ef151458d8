import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../src/errors.ts";
import { shellQuote } from "../src/shell-quote.ts";

const hostile = [
  "",
  " ",
  "plain",
  "two words",
  "'",
  "''",
  "'\\''",
  '"',
  "\\",
  "\\\\",
  "\\'",
  "`id`",
  "$(id)",
  "${HOME}",
  "$HOME",
  "$$",
  "!",
  "!!",
  "!$",
  "#",
  "~",
  "~root",
  "*",
  "?",
  "[a-z]",
  "{a,b}",
  "|id",
  "||id",
  "&",
  "&&id",
  ";id",
  ";",
  "<",
  ">",
  ">>/tmp/x",
  "(",
  ")",
  "-",
  "--",
  "-rf",
  "--help",
  "\n",
  "a\nb",
  "\nid\n",
  "\r\n",
  "\t",
  "\u0007",
  "\u001b[31m",
  "\u007f",
  "%s",
  "%n",
  "\u0081\u0082\u0088",
  "é",
  "日本",
  "𝄞",
  "\u202e",
  "\ufeff",
  "a'b'c",
  "';id;'",
  "$'\\x41'",
  "x=1",
  "EOF",
  "\\n",
];

describe("a quoted value", () => {
  it.each(["sh", "bash"])("is carried through %s literally, whatever it holds", (shell) => {
    const script = `printf '%s\\0' ${hostile.map(shellQuote).join(" ")}`;
    const words = execFileSync(shell, { input: script }).toString().split("\0").slice(0, -1);
    expect(words).toEqual(hostile);
    expect(hostile.length).toBeGreaterThan(50);
  });

  it.each(["a\0b", "\0", "\ud800", "x\udfff"])("cannot be %j, which no shell word can carry", (value) => {
    expect(() => shellQuote(value)).toThrow(ConfigurationError);
  });
});
