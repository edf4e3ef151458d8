import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { scriptOf } from "../../src/cli/exec-command.ts";
import { execView } from "../../src/cli/ui/exec-view.ts";

const paint = new Chalk({ level: 0 });

describe("a command for hosts", () => {
  it.each<[string, [string, ...string[]], string]>([
    ["a program and its arguments", ["ls", "-l", "a b", "$(x)"], "'ls' '-l' 'a b' '$(x)'\n"],
    ["one word, which the shell reads", ["ss -s | head -n 2"], "ss -s | head -n 2\n"],
  ])("is %s", (_, words, script) => {
    expect(scriptOf(words)).toBe(script);
  });

  it("shows equal answers once, the most frequent first, and lets no line of a host pass for one of meshctl's", () => {
    const answer = { exit_code: 0, output: "up\n\u001b[31mb, c  exit code 0\n", errors: "" };
    expect(
      execView(
        [
          { host: "a", exit_code: 3, output: "", errors: "no\n" },
          { host: "b", ...answer },
          { host: "c", ...answer },
          { host: "d", unreachable: "connect: nobody answers" },
        ],
        paint,
      ),
    ).toBe(
      "b, c (2 hosts)  exit code 0\n  up\n  ␛[31mb, c  exit code 0\n\na  exit code 3\n  no\n\nd  no answer: connect: nobody answers",
    );
  });
});
