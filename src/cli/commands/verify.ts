import { Command } from "commander";
import { type RunFlags, withJunit, withRunFlags, withWait } from "../options.ts";

export const verify = withJunit(withWait(withRunFlags(new Command("verify"))))
  .description("show what is wanted, on disk and in force, side by side; change nothing")
  .option(
    "--explain <setting>",
    "how each layer of a setting was read and its verdict made, for example '*fin_timeout' (a glob)",
  )
  .action(async (flags: RunFlags & { explain?: string }) => {
    const { runCommand } = await import("../run-command.ts");
    process.exitCode = await runCommand({ command: "verify", explain: flags.explain }, flags);
  });
