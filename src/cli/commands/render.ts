import { Command, InvalidArgumentError, Option } from "commander";
import { parseSize } from "../../quantity-text.ts";
import { withFileOptions } from "../options.ts";
import type { RenderFlags } from "../render-command.ts";

export const render = withFileOptions(new Command("render"))
  .description(
    "print every file meshctl would write on a bare host (with --json as an array); no host is touched",
  )
  .argument("<host>", "a host of the inventory")
  .option("--file <path>", "print only this file, as it is")
  .addOption(
    new Option("--os <codename>", "Debian release of the host")
      .choices(["bullseye", "bookworm", "trixie", "sid"])
      .default("bookworm"),
  )
  .option("--arch <name>", "its architecture, as dpkg names it", "amd64")
  .addOption(new Option("--memory <size>", "its memory").argParser(memorySize).default(4 * 2 ** 30, "4G"))
  .action(async (name: string, flags: RenderFlags) => {
    const { renderCommand } = await import("../render-command.ts");
    await renderCommand(name, flags);
  });

function memorySize(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError("expected a size like 8G");
  return bytes;
}
