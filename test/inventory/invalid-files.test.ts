import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/errors.ts";
import { linesOf, renderCodeFrame } from "../../src/inventory/code-frame.ts";
import type { InvalidFiles } from "../../src/inventory/invalid-files.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { load, problemsOf } from "../playbook/load.ts";

async function messageOf(texts: Parameters<typeof load>[0]): Promise<string> {
  const error = await load(texts).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as InvalidFiles).message;
}

describe("a code frame", () => {
  it("shows two lines around the place, and a caret under it", () => {
    const text = ["one", "two", "three", "  four: x", "five", "six", "seven"].join("\n");
    expect(renderCodeFrame(linesOf(text), 4, 9)).toBe(
      ["  2 | two", "  3 | three", "> 4 |   four: x", "    |         ^", "  5 | five", "  6 | six"].join(
        "\n",
      ),
    );
  });

  it("keeps tabs before the caret, and stays within the text", () => {
    expect(renderCodeFrame(linesOf("\tx: 1"), 1, 2)).toBe("> 1 | \tx: 1\n    | \t^");
    expect(renderCodeFrame(linesOf(""), 1, 1)).toBe("");
  });
});

describe("the message about wrong files", () => {
  it("shows each problem with its place, its frame and a hint", async () => {
    const playbook = "version: 1\nplays:\n  - hosts: [all, !a]\n    steps: { sysctl: {} }\n";
    expect(
      await messageOf({ playbook }),
    ).toBe(`p.yaml:3:18 plays[0].hosts[1]: '!a' without quotes is a YAML tag, and only !env, !file and !command are known
  1 | version: 1
  2 | plays:
> 3 |   - hosts: [all, !a]
    |                  ^
  4 |     steps: { sysctl: {} }
  5 |
  hint: for a pattern put quotes around it: "!a"`);
  });

  it("never shows a secret that stands in the file, not even in a file that is no YAML", async () => {
    const host = "version: 1\nhosts:\n  a: { address: 10.0.0.1 }\n";
    expect(await messageOf({ inventory: `${host}ssh: { password: in-plain-text }\n` })).not.toContain(
      "in-plain",
    );
    expect(await messageOf({ inventory: `${host}ssh: { password: not-even-yaml\n` })).not.toContain(
      "not-even",
    );
  });
});

describe("files that cannot be read", () => {
  it("are problems at their first line, both at once", async () => {
    const files = { inventoryFile: "/nowhere/i.yaml", playbookFile: "/tmp" };
    const error = await loadFiles(files, []).catch((thrown: unknown) => thrown);
    expect((error as InvalidFiles).message).toBe(
      "/nowhere/i.yaml:1:1: no such file\n  hint: a path starts at the folder that meshctl runs in; `meshctl init FILE` writes a first inventory\n\n/tmp:1:1: expected a file, found a folder",
    );
  });

  it("may hold any bytes", async () => {
    expect(await problemsOf({ files: { "p.yaml": Uint8Array.of(0x61, 0xff) } })).toEqual([
      "p.yaml:1:1: expected text in UTF-8, found other bytes in this line: save it as UTF-8",
    ]);
  });
});
