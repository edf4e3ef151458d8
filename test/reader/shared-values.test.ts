import { describe, expect, it } from "vitest";
import type { Fields } from "../../src/reader/protocol.ts";
import { sharedValue } from "../../src/reader/shared-values.ts";

const fields = (...texts: string[]): Fields => texts.map((text) => Buffer.from(text));
const words = (of: Fields) => ({ words: of.map(String) });
const length = (of: Fields) => ({ length: of.length });

describe("what is made of an answer", () => {
  it.each([
    ["the same answer", ["file", "/a"], fields("x", "y"), true],
    ["another answer", ["file", "/a"], fields("x", "z"), false],
    ["the same bytes in other fields", ["file", "/a"], fields("xy", ""), false],
    ["one field more", ["file", "/a"], fields("x", "y", ""), false],
    ["another question", ["file", "/b"], fields("x", "y"), false],
  ] as const)("%s", (_, question, answer, isShared) => {
    const known = sharedValue(["file", "/a"], words, fields("x", "y"));
    const again = sharedValue(question, words, answer);
    expect(again).toEqual({ words: answer.map(String) });
    expect(again === known).toBe(isShared);
  });

  it("is kept of hosts of several kinds that answer in turn", () => {
    const kinds = ["proxy", "member", "database"].map((kind) => fields(kind));
    const made = () => kinds.map((kind) => sharedValue(["packages"], words, kind));
    const first = made();
    for (const [at, value] of made().entries()) expect(value).toBe(first[at]);
  });

  it("is kept of no more answers than a fleet has kinds", () => {
    const first = sharedValue(["addresses"], words, fields("0"));
    for (let host = 1; host < 100; host++) sharedValue(["addresses"], words, fields(`${host}`));
    expect(sharedValue(["addresses"], words, fields("0"))).not.toBe(first);
  });

  it("goes by what is made", () => {
    expect(sharedValue(["file", "/a"], length, fields("x", "y"))).toEqual({ length: 2 });
  });

  it("keeps nothing of what could not be made", () => {
    const refuse = () => {
      throw new Error("no");
    };
    for (const _ of [1, 2]) expect(() => sharedValue(["file", "/c"], refuse, fields("x"))).toThrow("no");
  });
});
