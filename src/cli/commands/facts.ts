import { Command } from "commander";
import type { FactsFlags } from "../facts-command.ts";
import { positiveInteger, withInventoryOptions } from "../options.ts";

export const facts = withInventoryOptions(new Command("facts"))
  .description("tell what hosts are: release, kernel, machine, memory, clock, addresses; changes nothing")
  .argument("[pattern]", "hosts or groups, for example 'proxies,!kvm-03'", "all")
  .option("--parallel <n>", "hosts looked at at once", positiveInteger, 10)
  .action(async (pattern: string, flags: FactsFlags) => {
    const { factsCommand } = await import("../facts-command.ts");
    process.exitCode = await factsCommand(pattern, flags);
  });
