import { Command } from "commander";
import type { RunsFlags } from "../runs-command.ts";

export const runs = new Command("runs")
  .description("list the runs made from this machine: who, with which files and flags, and the result")
  .argument(
    "[run...]",
    "as runs name themselves: of one its story, of two what differs; without any the last are listed",
  )
  .option("--json", "a list of runs as one JSON array, or the events of one as they were, one a line")
  .option("--no-color", "no colours (also: NO_COLOR=1)")
  .addHelpText(
    "after",
    `
meshctl keeps the last 100 runs in $XDG_STATE_HOME/meshctl/runs
(~/.local/state), readable by their user alone. Patterns can name hosts of the
last run that was to change any: meshctl provision -l @failed, or -l @changed,
or -l @failed:RUN.`,
  )
  .action(async (named: readonly string[], flags: RunsFlags) => {
    const { runsCommand } = await import("../runs-command.ts");
    runsCommand(named, flags);
  });
