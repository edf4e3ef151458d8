import { Command } from "commander";
import {
  type RunFlags,
  withBootWait,
  withJunit,
  withLockWait,
  withRunFlags,
  withWait,
  withWaves,
} from "../options.ts";

export const provision = withBootWait(
  withLockWait(withJunit(withWaves(withWait(withRunFlags(new Command("provision")))))),
)
  .description("bring every host to what is wanted, and prove each change on the running system")
  .option("-y, --yes", "do not ask before changing anything")
  .option(
    "--prove-boot",
    "then reboot the hosts that have not booted since the last change, one after the other, as meshctl reboot does",
  )
  .action(async (flags: RunFlags & { yes?: boolean; proveBoot?: true }) => {
    const provesBoot = flags.proveBoot === true;
    const { runCommand } = await import("../run-command.ts");
    process.exitCode = await runCommand(
      { command: "provision", yes: flags.yes === true, provesBoot, demandsBoot: provesBoot },
      flags,
    );
  });
