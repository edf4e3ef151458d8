import { Chalk } from "chalk";
import { expect, it } from "vitest";
import { mistakesView } from "../../src/cli/ui/mistakes.ts";
import { plain } from "../../src/cli/ui/wrapped.ts";

const text = `i.yaml:2:3 hosts.a: unknown key
  1 | hosts:
> 2 |   a: 1
    |   ^
  hint: leave it out`;

it("paints mistakes of the files and changes no letter of them", () => {
  const paint = new Chalk({ level: 1 });
  const painted = mistakesView(text, paint);
  expect(plain(painted)).toBe(text);
  expect(painted.split("\n")).toEqual([
    `${paint.bold.red("i.yaml:2:3 hosts.a:")} unknown key`,
    paint.dim("  1 | hosts:"),
    paint.bold("> 2 |   a: 1"),
    paint.red("    |   ^"),
    paint.cyan("  hint: leave it out"),
  ]);
  expect(mistakesView(text, new Chalk({ level: 0 }))).toBe(text);
});

it("breaks what is said of a line, and not the line", () => {
  const paint = new Chalk({ level: 0 });
  const shown = mistakesView(text, paint, (line) => line.replace("unknown ", "unknown\n    "));
  expect(shown).toBe(text.replace("unknown ", "unknown\n    "));
  const upper = mistakesView(text, paint, (line) => line.toUpperCase());
  expect(upper).toBe(
    text
      .replace("i.yaml:2:3 hosts.a: unknown key", (line) => line.toUpperCase())
      .replace("  hint: leave it out", (line) => line.toUpperCase()),
  );
});
