import { Command, Option } from "commander";
import { type RunFlags, withJunit, withRunFlags, withWait } from "../options.ts";

export const verify = withJunit(withWait(withRunFlags(new Command("verify"))))
  .description("show what is wanted, on disk and in force, side by side; change nothing")
  .option(
    "--explain <setting>",
    "how each layer of a setting was read and its verdict made, for example '*fin_timeout' (a glob)",
  )
  .option("--record <file>", "keep what the hosts answer, with secrets masked, for --from")
  .addOption(
    new Option("--from <file>", "judge what --record kept, with these files; ask no host").conflicts([
      "record",
      "waitForSsh",
    ]),
  )
  .action(async (flags: RunFlags & { explain?: string; record?: string; from?: string }) => {
    const { runCommand } = await import("../run-command.ts");
    const { explain, record, from } = flags;
    process.exitCode = await runCommand({ command: "verify", explain, record, from }, flags);
  });
