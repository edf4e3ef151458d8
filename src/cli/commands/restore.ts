import { Command } from "commander";
import { isRunName } from "../../engine/run-name.ts";
import { ConfigurationError } from "../../errors.ts";
import { type RunFlags, withLockWait, withRunFlags } from "../options.ts";

export const restore = withLockWait(withRunFlags(new Command("restore")))
  .description("put back the files that a run replaced, and prove the services healthy with them")
  .argument(
    "[run]",
    "as a run names itself, for example 20261122-190312-4f2a9c0d71e3; without it the runs are listed",
  )
  .option("-y, --yes", "do not ask before changing anything")
  .addHelpText(
    "after",
    `
Packages, artefacts and ZooKeeper's data and members stay as they are. The
kernel gets back what it had before; where that is not on record the restore
fails and says so. A file that has changed since that run is named and left
alone, and so are the other files of its step. A restore keeps what it
replaces, so a later restore can undo it.`,
  )
  .action(async (of: string | undefined, flags: RunFlags & { yes?: boolean }) => {
    if (of !== undefined && !isRunName(of)) {
      throw new ConfigurationError(`'${of}' is no run: "meshctl restore" lists those that the hosts keep`);
    }
    const { runCommand } = await import("../run-command.ts");
    process.exitCode = await runCommand({ command: "restore", of, yes: flags.yes === true }, flags);
  });
