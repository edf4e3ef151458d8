import { Command, InvalidArgumentError } from "commander";
import { parallel, withFileOptions, withHtml, withVerbosity } from "../options.ts";
import type { StatusFlags } from "../status-command.ts";

const DEFAULT_SECONDS = 2;

export const status = withHtml(
  withVerbosity(withFileOptions(new Command("status")), "each backend and proxy, also where there are many"),
)
  .description("show the mesh at a glance, what is wrong first; change nothing")
  .option("-l, --limit <pattern>", "report these hosts only; the others are still looked at")
  .addOption(parallel("hosts looked at at once"))
  .option(
    "--watch [seconds]",
    `look again every ${DEFAULT_SECONDS} seconds, or at the interval that you give`,
    seconds,
  )
  .addHelpText(
    "after",
    `
For every backend: UP, DOWN, missing (registered, not in HAProxy), stale (in
HAProxy, not registered any more), altered by hand (drained, another weight or
address), weight 0 (registered so). Exit code 0 when all is well, 2 when
something is wrong, 4 and 5 when hosts could not be looked at, 130 when --watch
was ended.`,
  )
  .action(async (flags: Omit<StatusFlags, "watch"> & { watch?: number | true }) => {
    const { statusCommand } = await import("../status-command.ts");
    const { watch, ...rest } = flags;
    process.exitCode = await statusCommand({
      ...rest,
      ...(watch === undefined ? {} : { watch: watch === true ? DEFAULT_SECONDS : watch }),
    });
  });

function seconds(text: string): number {
  if (!/^[0-9]{1,4}(\.[0-9]+)?$/.test(text) || Number(text) <= 0)
    throw new InvalidArgumentError("expected seconds, for example 5");
  return Number(text);
}
