import { Command } from "commander";
import { type RunFlags, withRunFlags } from "../options.ts";
import { runCommand } from "../run-command.ts";

export const verify = withRunFlags(new Command("verify"))
  .description("show what is wanted, on disk and in force, side by side; change nothing")
  .action(async (flags: RunFlags) => {
    process.exitCode = await runCommand({ command: "verify" }, flags);
  });
