import { Command } from "commander";
import type { FactsFlags } from "../facts-command.ts";
import { parallel, withInventoryOptions, withVerbosity } from "../options.ts";

export const facts = withVerbosity(withInventoryOptions(new Command("facts")))
  .description("show what hosts are: release, kernel, machine, memory, clock, addresses; change nothing")
  .argument("[pattern]", "hosts or groups, for example 'proxies,!kvm-03'", "all")
  .addOption(parallel("hosts looked at at once"))
  .action(async (pattern: string, flags: FactsFlags) => {
    const { factsCommand } = await import("../facts-command.ts");
    process.exitCode = await factsCommand(pattern, flags);
  });
