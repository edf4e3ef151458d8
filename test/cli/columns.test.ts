import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { acrossAll, columnsOf, intoLines, tableOf } from "../../src/cli/ui/columns.ts";

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

  it.each([
    [
      "as wide as they need",
      [
        ["host", "steps"],
        ["kvm-01", "sysctl, haproxy"],
      ],
      80,
      " host    steps| kvm-01  sysctl, haproxy",
    ],
    [
      "narrower where there is no room, the widest first",
      [["kvm-01", "sysctl, haproxy", "a"]],
      20,
      " kvm-01  sysctl,   a|         haproxy",
    ],
    [
      "with words that are whole as long as others can be broken",
      [["20261122-190312-4f2a", "verify -i x"]],
      32,
      " 20261122-190312-4f2a  verify -i|                       x",
    ],
    [
      "with words broken where nothing else helps",
      [["20261122-190312-4f2a", "verify"]],
      24,
      " 20261122-        verify| 190312-4f2a",
    ],
    ["never so narrow that nobody can read them", [["kvm-01", "haproxy"]], 5, " kvm-01  haproxy"],
    ["with the lines of their cells", [["a", "one\nlonger"]], 80, " a  one|    longer"],
    ["of no rows", [], 80, ""],
  ] as const)("are a table %s", (_, rows, room, lines) => {
    expect(tableOf(rows, room).replaceAll("\n", "|")).toBe(lines);
  });

  it("begin a colour anew in each line that it is in", () => {
    const text = `a ${paint.red("sudden end")} b`;
    expect(intoLines(text, 8).split("\n")).toEqual(["a \x1b[31msudden\x1b[0m", "\x1b[31mend\x1b[39m b"]);
    expect(intoLines(paint.red("abcdef"), 4)).toBe("\x1b[31mabcd\x1b[0m\n\x1b[31mef\x1b[39m");
  });

  it("take the room of all with what is between", () => {
    expect(acrossAll([3, 4, 5])).toBe(16);
  });
});
