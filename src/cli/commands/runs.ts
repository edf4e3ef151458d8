import { Command } from "commander";
import type { RunsFlags } from "../runs-command.ts";

export const runs = new Command("runs")
  .description("list the runs made from this machine: who, with which files and flags, and the result")
  .argument("[run]", "as a run names itself; without it the last runs are listed, newest last")
  .option("--json", "a list of runs as one JSON array, or the events of one as they were, one a line")
  .option("--no-color", "no colours (also: NO_COLOR=1)")
  .addHelpText(
    "after",
    `
The last 100 runs are kept, for the user who made them alone, in $XDG_STATE_HOME/meshctl/runs (~/.local/state). Patterns of
hosts know the last one that was to change any: meshctl provision -l @failed, or -l @changed, or -l @failed:RUN.`,
  )
  .action(async (run: string | undefined, flags: RunsFlags) => {
    const { runsCommand } = await import("../runs-command.ts");
    runsCommand(run, flags);
  });
