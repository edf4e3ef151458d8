import { Command } from "commander";
import type { LockFlags } from "../lock-command.ts";
import { parallel, withInventoryOptions, withVerbosity } from "../options.ts";

const withHosts = (command: Command) =>
  withVerbosity(withInventoryOptions(command))
    .option("-l, --limit <pattern>", "these hosts; without it all of the inventory")
    .addOption(parallel("hosts at once"));

export const lock = withHosts(new Command("lock"))
  .description(
    "lock hosts against changes by every run until they are unlocked; without a reason, show who locked what",
  )
  .argument("[reason]", 'shown to users who try to change them, for example "disk swap"')
  .addHelpText(
    "after",
    `
A run still looks at a locked host. Where it would change the host, it fails
there and says who locked it, why and since when. The lock survives a reboot. A
second lock leaves the first one as it is.`,
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
