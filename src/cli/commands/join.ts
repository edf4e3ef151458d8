import { Command } from "commander";

export const join = new Command("join")
  .description("join the reports of several shards into one: of --junit, --json or --record")
  .argument("<files...>", "reports of one kind, each of other hosts")
  .option("-o, --output <file>", "write it there (default: standard output)")
  .action(async (files: readonly string[], { output }: { readonly output?: string }) => {
    const { joinCommand } = await import("../join-command.ts");
    joinCommand(files, output);
  });
