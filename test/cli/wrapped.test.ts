import { expect, it } from "vitest";
import { brokenFor, hanging, plain } from "../../src/cli/ui/wrapped.ts";

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

it.each([
  ["a program", {}],
  ["a terminal that nobody sees", { isTTY: true, columns: 0 }],
  ["a terminal that says nothing", { isTTY: true }],
])("leaves a line whole that has room in any window, for %s", (_, stream) => {
  expect(brokenFor(stream, "   kvm-03 haproxy · configuration")).toBe("   kvm-03 haproxy · configuration");
});
