import type { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { examplesOf } from "../../src/cli/examples.ts";
import { meshctl } from "../../src/cli/program.ts";
import { markdownTable } from "./tables.ts";

const commands = meshctl().commands.filter((command) => !("_hidden" in command && command._hidden));

function flagsOf(command: Command): string {
  const shown = ({ defaultValue, defaultValueDescription }: Option) =>
    ["string", "number"].includes(typeof defaultValue)
      ? `\`${defaultValueDescription ?? defaultValue}\``
      : "";
  const options = command.options.filter(({ hidden }) => !hidden);
  const rows = options.map((option) => [`\`${option.flags}\``, option.description, shown(option)]);
  return rows.length === 0 ? "It has no flags." : markdownTable([["flag", "", "default"], ...rows]);
}

describe("the manual of commands and flags", () => {
  it("says of every command and flag what it does", () => {
    const silent = commands.flatMap((command) =>
      [
        { flags: command.name(), description: command.description() },
        ...command.options.filter(({ hidden }) => !hidden),
      ]
        .filter(({ description }) => description.trim() === "")
        .map(({ flags }) => `${command.name()} ${flags}`),
    );
    expect(silent).toEqual([]);
  });

  // Written anew by `npm run test:unit -- -u`.
  it("is what --help says", async () => {
    const parts = [
      "# Commands and their flags",
      "Made from what `meshctl COMMAND --help` prints. [commands.md](commands.md) tells what they do in full.",
      ...commands.flatMap((command) => [
        `## meshctl ${`${command.name()} ${command.usage()}`.trim()}`,
        `${command.description()}.`.replace(/\.\.$/, "."),
        flagsOf(command),
        `\`\`\`sh\n${examplesIn(command)}\n\`\`\``,
      ]),
    ];
    await expect(`${parts.join("\n\n")}\n`).toMatchFileSnapshot("../../docs/flags.md");
  });
});

function examplesIn(command: Command): string {
  const [, ...lines] = (examplesOf(command.name()) ?? "").trim().split("\n");
  return lines.map((line) => line.trim()).join("\n");
}
