import { Command } from "commander";
import { type FileOptions, withFileOptions } from "../options.ts";

export const hosts = withFileOptions(new Command("hosts"))
  .description("list hosts, groups and steps; with a name, how that host would be reached and why")
  .argument("[pattern]", "hosts or groups, for example 'zookeeper,!kvm-03'", "all")
  .action(async (pattern: string, flags: FileOptions) => {
    const { hostsCommand } = await import("../hosts-command.ts");
    await hostsCommand(pattern, flags);
  });
