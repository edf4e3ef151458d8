import { Command } from "commander";
import { type RunFlags, withJunit, withLockWait, withRunFlags, withWait, withWaves } from "../options.ts";

export const provision = withLockWait(withJunit(withWaves(withWait(withRunFlags(new Command("provision"))))))
  .description("bring every host to what is wanted, and prove each change on the running system")
  .option("-y, --yes", "do not ask before changing anything")
  .action(async (flags: RunFlags & { yes?: boolean }) => {
    const { runCommand } = await import("../run-command.ts");
    process.exitCode = await runCommand({ command: "provision", yes: flags.yes === true }, flags);
  });
