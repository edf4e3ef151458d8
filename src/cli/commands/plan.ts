import { Command } from "commander";
import { type RunFlags, withJunit, withRunFlags, withShard, withWait, withWaves } from "../options.ts";

export const plan = withJunit(withWaves(withWait(withShard(withRunFlags(new Command("plan"))))))
  .description("show what would change, as diffs, and what it disrupts; change nothing")
  .action(async (flags: RunFlags) => {
    const { runCommand } = await import("../run-command.ts");
    process.exitCode = await runCommand({ command: "plan" }, flags);
  });
