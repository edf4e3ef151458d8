import { readFileSync } from "node:fs";
import { Argument, Command } from "commander";

export const completion = new Command("completion")
  .description(
    "print the script by which a shell completes commands, flags, hosts, groups, steps, services and runs",
  )
  .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
  .action((shell: string) => {
    process.stdout.write(readFileSync(new URL(`../completion/meshctl.${shell}`, import.meta.url), "utf8"));
  });

/** What the scripts ask, with the words of the line behind `--`. */
export const complete = new Command("complete")
  .argument("[words...]")
  .helpOption(false)
  .allowUnknownOption()
  .action(async (words: string[], _flags: unknown, self: Command) => {
    const { completeCommand } = await import("../complete-command.ts");
    completeCommand(self.parent!, words);
  });
