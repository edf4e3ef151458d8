import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { acrossAll, columnsOf, intoLines } from "../../src/cli/ui/columns.ts";

const paint = new Chalk({ level: 1 });

describe("columns", () => {
  it("have the same place in every line", () => {
    expect([columnsOf(["a", "bb", "c"], [3, 4, 5]), columnsOf(["aaa", "b", "c"], [3, 4, 5])]).toEqual([
      " a    bb    c",
      " aaa  b     c",
    ]);
  });

  it("are as wide as letters are on a terminal", () => {
    expect(columnsOf(["日本", "b"], [4, 1])).toBe(" 日本  b");
    expect(columnsOf([paint.red("ab"), "c"], [4, 1])).toBe(` ${paint.red("ab")}    c`);
  });

  it("cut what is wider, and leave what is coloured whole", () => {
    expect(columnsOf(["abcdef", "x"], [4, 1])).toBe(" abc…  x");
    expect(columnsOf(["日本語", "x"], [4, 1])).toBe(" 日…   x");
    expect(columnsOf([paint.red("abcdef"), "x"], [4, 1])).toBe(` ${paint.red("abcdef")}  x`);
  });

  it("go on in further lines, without those that are empty", () => {
    expect(columnsOf(["a", "1\n\n3"], [2, 2])).toBe(" a   1\n     3");
  });

  it.each([
    ["within 500 ms of the other hosts", 9, "within|500 ms of|the other|hosts"],
    ["port 198.18.3.13:2181", 11, "port|198.18.3.|13:2181"],
    ["/etc/systemd/system/haproxy.service", 14, "/etc/systemd/|system/|haproxy.|service"],
    ["abcdefghij", 4, "abcd|efgh|ij"],
    ["日本語の名前", 6, "日本語|の名前"],
    ["two  blanks", 20, "two  blanks"],
    ["", 3, ""],
  ])("have %j in lines of %i, broken between words where there are any", (text, width, lines) => {
    expect(intoLines(text, width).replaceAll("\n", "|")).toBe(lines);
  });

  it("take the room of all with what is between", () => {
    expect(acrossAll([3, 4, 5])).toBe(16);
  });
});
