import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { meshctl } from "../../src/cli/program.ts";

const program = meshctl();
const commands = program
  .createHelp()
  .visibleCommands(program)
  .filter((each) => each.name() !== "help");

function helpOf(command: Command): string {
  let help = "";
  command
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
    })
    .outputHelp();
  return help;
}

/** The words of a line of a shell, without a comment, what is written to a file and what comes before a pipe. */
function wordsOf(line: string): readonly string[] {
  const plain = line
    .replace(/\s#.*/, "")
    .replace(/^source <\((.*)\)\s*$/, "$1")
    .replace(/^[^'"]* \| /, "")
    .replace(/\s>\S+/, "");
  return [...plain.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare!,
  );
}

describe("every command's help", () => {
  it.each(commands.map((command) => [command.name(), command] as const))(
    "%s shows examples that parse",
    async (name, command) => {
      const [, section] = helpOf(command).split("\nExamples:\n");
      const lines = section?.trimEnd().split("\n") ?? [];
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        const [first, ...words] = wordsOf(line.trim());
        expect([first, words[0]]).toEqual(["meshctl", name]);
        let isRun = false;
        const fresh = command.action(() => {
          isRun = true;
        });
        await expect(fresh.parent!.parseAsync(words, { from: "user" })).resolves.toBeDefined();
        expect(isRun, line).toBe(true);
      }
    },
  );

  it.each([program, ...commands].map((command) => [command.name(), command] as const))(
    "%s fits into 80 columns",
    (_, command) => {
      for (const line of helpOf(command).split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    },
  );

  it("does not know the command that shells ask", () => {
    expect(helpOf(program)).not.toContain("complete ");
  });
});
