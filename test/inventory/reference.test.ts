import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { References } from "../../src/inventory/reference.ts";
import { maskSecrets } from "../../src/secret.ts";
import { load, problemsOf } from "../playbook/load.ts";

let folder: string;
let yaml: string;
const environment = { PATH: process.env.PATH, FROM: "environment" };
const references = () => new References(environment);
const resolve = (...words: string[]) => references().resolve("!command", words, yaml);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-reference-"));
  yaml = join(folder, "i.yaml");
  writeFileSync(join(folder, "beside"), "content\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a !command", () => {
  it("stands for what the program prints, without the newlines at its end", () => {
    expect(resolve("printf", "a b\\nc\\r\\n\\n")).toEqual({ text: "a b\nc" });
  });

  it("is a program and its arguments, of which no shell sees any", () => {
    const hostile = ["$(id)", "`id`", "a;id", "|id", "*", "'", '"', "\\", "-n", "$HOME", "x\ny"];
    for (const word of hostile) expect(resolve("printf", "%s", word)).toEqual({ text: word });
  });

  it("runs in the folder of the file that names it, with the environment", () => {
    expect(resolve("cat", "beside")).toEqual({ text: "content" });
    expect(resolve("sh", "-c", "echo $FROM")).toEqual({ text: "environment" });
  });

  it("that fails shows nothing of what it printed, not even in its complaint", () => {
    const { problem } = resolve("sh", "-c", "echo s3cret-printed; echo no: s3cret-printed >&2; exit 1") as {
      problem: string;
    };
    expect(maskSecrets(problem)).toMatch(/failed with exit code 1: no: ••••••$/);
  });

  it("runs once, however many places name it", () => {
    const each = references();
    const argv = ["sh", "-c", "echo run >>runs; cat runs"];
    for (let times = 0; times < 3; times += 1) {
      expect(each.resolve("!command", argv, yaml)).toEqual({ text: "run" });
    }
  });

  it("may be written as text when its words cannot be misread", () => {
    expect(references().resolve("!command", "printf %s  plain-word", yaml)).toEqual({ text: "plain-word" });
    for (const text of [
      "echo $HOME",
      'echo "a b"',
      "echo 'a'",
      "a | b",
      "a; b",
      "echo *",
      "a\nb",
      "~/secret",
    ]) {
      expect(references().resolve("!command", text, yaml)).toEqual({
        problem:
          "no shell runs a !command, so nothing but blanks parts its words: write it as a list, " +
          '!command [program, "an argument"]',
      });
    }
  });

  it.each([
    [
      "a program that is not there",
      ["no-such-program", "x"],
      /no-such-program x cannot be run: no program no-such-program is found$/,
    ],
    ["a file that is no program", ["./beside"], /^!command \.\/beside cannot be run: permission denied$/],
    ["its failure", ["sh", "-c", "echo out; echo why >&2; exit 7"], / failed with exit code 7: why$/],
    ["a failure without a word", ["false"], /^!command false failed with exit code 1: it said nothing$/],
    ["its death", ["sh", "-c", "kill -9 $$"], / was ended by SIGKILL: it said nothing$/],
    ["too much output", ["sh", "-c", "head -c 2000000 /dev/zero"], / printed more than 1048576 bytes$/],
    ["no output", ["true"], /^the output of !command true is empty$/],
    ["what is no text", ["printf", "\\377"], /: expected text in UTF-8, found other bytes$/],
    ["a NUL character", ["printf", "a\\0b"], / holds a NUL character$/],
    ["no word at all", [], /^expected !command \[PROGRAM, ARGUMENT\], found !command alone$/],
  ])("reports %s", (_what, argv, problem) => {
    expect(resolve(...argv)).toMatchObject({ problem: expect.stringMatching(problem) });
  });
});

it("a !command that does not end is stopped", () => {
  expect(new References(environment, 100).resolve("!command", ["sleep", "60"], yaml)).toEqual({
    problem: "!command sleep 60 did not end within 0.1 s and was stopped",
  });
});

describe("a reference in an inventory", () => {
  const inventory = (ssh: string) => `version: 1\nhosts:\n  a: { address: 10.0.0.1 }\nssh: ${ssh}\n`;
  const environment = { PATH: process.env.PATH, TWO: "first\nsecond" };

  it("is text wherever text may stand, and a secret where one is wanted", async () => {
    const { inventory: loaded } = await load({
      inventory: inventory('{ user: !command [printf, ops], sudo_password: !command [printf, "it\'s $x"] }'),
      environment,
    });
    const { ssh } = loaded.hosts.get("a")!;
    expect(ssh.user).toBe("ops");
    expect(`${ssh.sudoPassword}`).toBe("••••••");
    expect(ssh.sudoPassword?.reveal()).toBe("it's $x");
  });

  it.each([
    [
      "{ password: !command [sh, -c, 'exit 3'] }",
      "4:18 ssh.password: !command sh -c exit 3 failed with exit code 3: it said nothing",
    ],
    [
      "{ password: !command [a, [b]] }",
      "4:18 ssh.password: expected text or a list of texts after !command, found a list",
    ],
    [
      "{ password: !command { a: b } }",
      "4:18 ssh.password: expected text or a list of texts after !command, found a map",
    ],
    ["{ password: !env [a] }", "4:18 ssh.password: expected !env NAME, found a list"],
    ["{ password: !env TWO }", "4:18 ssh.password: has more than one line, and a password has one"],
    [
      "{ user: !env TWO }",
      "4:14 ssh.user: expected a user name: letters, digits, and . _ - + @ \\ behind the first, found the value of !env TWO",
    ],
  ])("is reported at its place: %s", async (ssh, problem) => {
    expect(await problemsOf({ inventory: inventory(ssh), environment })).toEqual([`i.yaml:${problem}`]);
  });
});
