import { describe, expect, it } from "vitest";
import { lastLines } from "../src/terminal-text.ts";

describe("a program's last words", () => {
  it.each([
    ["are its last lines", "a\nb\nc\n\n", "b\nc"],
    ["hold the last state of a progress bar", "(Reading ... 5%(Reading ... \r100%\r\ndone\r\n", "100%\ndone"],
    [
      "cannot steer the terminal",
      "\u001b]0;title\u0007\u001b[2J\u001b[31mred\u001b[0m\u0007\u009bx",
      "red x",
    ],
    ["keep tabs and letters of every script", "a\tä\n日本", "a\tä\n日本"],
  ])("%s", (_what, text, expected) => {
    expect(lastLines(text, 2)).toBe(expected);
  });
});
