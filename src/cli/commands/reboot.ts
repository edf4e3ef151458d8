import { Command } from "commander";
import {
  parallel,
  type RunFlags,
  WHERE_READ,
  wholeNumber,
  withBootWait,
  withFileOptions,
  withJunit,
  withLockWait,
  withLogFile,
  withVerbosity,
} from "../options.ts";

export const reboot = withBootWait(
  withLockWait(withJunit(withVerbosity(withLogFile(withFileOptions(new Command("reboot"))), WHERE_READ))),
)
  .description("reboot hosts one after the other, and prove on each that everything came up as wanted")
  .option("-l, --limit <pattern>", "only these hosts, for example 'proxies,!db-01'; without it all of them")
  .addOption(parallel("hosts looked at at once"))
  .option("--max-fail <n>", "how many hosts may fail before no other is rebooted (0)", wholeNumber)
  .option("-y, --yes", "do not ask before the first reboot")
  .addHelpText(
    "after",
    `
meshctl reboots a host only while its services may be restarted: a member of
the ensemble while a majority of the others serves in step, the leader last. It
waits until the host answers over a new connection from another boot, systemd
and cloud-init have started everything, and each setting of the host and its
peers that was proven before is proven again. A host that does not come back,
or comes back wrong, stops the run, and meshctl names what is wrong.

A host's backends leave the mesh first, where the registrar put them there and
other hosts serve the same, and come back with the host. Otherwise the other
proxies drop them as their checks fail, within about a second with fail_fast,
and requests under way on the host are cut off. Clients on the host itself have
no proxy meanwhile.

^C waits for the host that is under way to come back, then stops; a second ^C
drops it.

Exit codes: 0 all came up as wanted · 2 what was not as wanted before is still
not · 1 or 5 a host failed.`,
  )
  .action(async (flags: RunFlags & { yes?: boolean }) => {
    const { runCommand } = await import("../run-command.ts");
    process.exitCode = await runCommand(
      { command: "reboot", yes: flags.yes === true, demandsBoot: true },
      { ...flags, diff: true },
    );
  });
