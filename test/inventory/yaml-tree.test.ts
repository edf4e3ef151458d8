import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { References } from "../../src/inventory/reference.ts";
import { readYamlTree } from "../../src/inventory/yaml-tree.ts";

function read(text: string) {
  const problems: { message: string; hint?: string | undefined }[] = [];
  const references = new References({});
  const tree = readYamlTree(parseDocument(text), text, "i.yaml", references, (each) => problems.push(each));
  return { value: tree.value, problems };
}

describe("a tree of YAML", () => {
  it.each([
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", "9007199254740993"],
    ["18446744073692774399", "18446744073692774399"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["0x10", 16],
  ])("keeps every digit of %s", (written, value) => {
    expect(read(`a: ${written}\n`).value).toEqual({ a: value });
  });

  it("says what to do about a merge key", () => {
    expect(read("a: &a { b: 1 }\nc: { <<: *a }\n").problems).toMatchObject([
      {
        message: "unknown key",
        hint: expect.stringMatching(/^merge keys are of YAML 1\.1 .*: repeat the keys/),
      },
    ]);
  });
});
