import { describe, expect, it } from "vitest";
import type { Fields, Question } from "../../src/reader/protocol.ts";
import { sharedAnswer, sharedValue } from "../../src/reader/shared-values.ts";

const decode = (bytes: Buffer) =>
  ({ is: "value", value: bytes.toString().split(" ").map(Buffer.from) }) as const;
const answer = (question: Question, said: string) => sharedAnswer(question, Buffer.from(said), decode);

describe("an answer", () => {
  it.each([
    ["the same", ["file", "/a"], "x y", true],
    ["another", ["file", "/a"], "x z", false],
    ["one that begins alike", ["file", "/a"], "x y ", false],
    ["that to another question", ["file", "/b"], "x y", false],
  ] as const)("%s", (_, question, said, isShared) => {
    const known = answer(["file", "/a"], "x y");
    const again = answer(question, said);
    expect(again).toEqual(decode(Buffer.from(said)));
    expect(again === known).toBe(isShared);
  });

  it("is kept of hosts of several kinds that answer in turn", () => {
    const kinds = ["proxy", "member", "database"];
    const first = kinds.map((kind) => answer(["packages"], kind));
    for (const [at, kind] of kinds.entries()) expect(answer(["packages"], kind)).toBe(first[at]);
  });

  it("is kept of no more hosts than there are kinds", () => {
    const first = answer(["addresses"], "0");
    for (let host = 1; host < 100; host++) answer(["addresses"], `${host}`);
    expect(answer(["addresses"], "0")).not.toBe(first);
  });

  it("is kept of no host that floods, and those of the others stay", () => {
    const known = answer(["boot.lines"], "x y");
    const flood = "x".repeat(1024 * 1024);
    for (let at = 0; at < 100; at++) {
      const question: Question = ["file", `/${at}`];
      const known = answer(question, flood);
      // Not toBe: to tell in what such answers differ takes Vitest minutes.
      expect(known === answer(question, flood)).toBe(false);
    }
    expect(answer(["boot.lines"], "x y")).toBe(known);
  });

  it("is kept of as much as there is room for", () => {
    const known = answer(["boot.lines"], "x y");
    const large = (at: number) => answer(["file", `/${at}`], "x".repeat(200 * 1024));
    for (let at = 0; at < 400; at++) large(at);
    expect(answer(["boot.lines"], "x y")).not.toBe(known);
  });

  it("holds nothing of what came with it", () => {
    const all = Buffer.from("mine yours");
    const mine = sharedAnswer(["file", "/c"], all.subarray(0, 4), (bytes) => ({
      is: "value",
      value: [bytes],
    }));
    all.fill(0);
    expect(mine).toEqual({ is: "value", value: [Buffer.from("mine")] });
  });
});

describe("what is made of an answer", () => {
  const fields: Fields = ["x", "y"].map((text) => Buffer.from(text));
  const words = (of: Fields) => ({ words: of.map(String) });

  it("is made once", () => {
    expect(sharedValue(fields, words)).toEqual({ words: ["x", "y"] });
    expect(sharedValue(fields, words)).toBe(sharedValue(fields, (of: Fields) => ({ words: of.map(String) })));
  });

  it("goes by what is made, and by what", () => {
    const counted = (by: number) => sharedValue(fields, (of: Fields) => of.length * by, `${by}`);
    expect([counted(1), counted(2)]).toEqual([2, 4]);
    expect(sharedValue(fields, (of: Fields) => of.length)).toBe(2);
  });

  it("is not kept where it could not be made", () => {
    const refuse = () => {
      throw new Error("no");
    };
    for (const _ of [1, 2]) expect(() => sharedValue(fields, refuse)).toThrow("no");
  });
});
