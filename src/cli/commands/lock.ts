import { Command } from "commander";
import type { LockFlags } from "../lock-command.ts";
import { parallel, withInventoryOptions } from "../options.ts";

const withHosts = (command: Command) =>
  withInventoryOptions(command)
    .option("-l, --limit <pattern>", "these hosts; without it all of the inventory")
    .addOption(parallel("hosts at once"));

export const lock = withHosts(new Command("lock"))
  .description(
    "lock hosts against changes by every run until they are unlocked; without a reason, show who locked what",
  )
  .argument("[reason]", 'shown to everybody who wants to change them, for example "disk swap"')
  .addHelpText(
    "after",
    `
A run looks at a locked host as ever; where it would change it, it fails there and says who locked it, why and since when.
The lock stays over a reboot. One that is there stays as it is.`,
  )
  .action(async (reason: string | undefined, flags: LockFlags) => {
    const { lockCommand } = await import("../lock-command.ts");
    process.exitCode = await lockCommand(
      reason === undefined ? { is: "show" } : { is: "lock", reason },
      flags,
    );
  });

export const unlock = withHosts(new Command("unlock"))
  .description('unlock hosts that "meshctl lock" has locked')
  .action(async (flags: LockFlags) => {
    const { lockCommand } = await import("../lock-command.ts");
    process.exitCode = await lockCommand({ is: "unlock" }, flags);
  });
