import { expect, it } from "vitest";
import { hanging, plain } from "../../src/cli/ui/wrapped.ts";

it.each([
  ["a line that fits", 40, "a line that fits"],
  ["   one two three four five six seven", 30, "   one two three four five six\n       seven"],
  ["first\n  second line that is too long here", 30, "first\n  second line that is too long\n      here"],
  ["a-path-that-is-longer-than-the-window is kept", 24, "a-path-that-is-longer-than-the-window\n    is kept"],
])("breaks %j between words", (text, columns, shown) => {
  expect(hanging(text, columns)).toBe(shown);
});

it("counts no colours", () => {
  const dim = "\u001b[2mone two three four\u001b[22m";
  expect(hanging(`12345 ${dim}`, 24)).toBe(`12345 ${dim}`);
  expect(plain(hanging(`1234567 ${dim}`, 24))).toBe("1234567 one two three\n    four");
});
