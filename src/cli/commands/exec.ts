import { Command, Option } from "commander";
import type { ExecFlags } from "../exec-command.ts";
import { parallel, patience, withInventoryOptions, withVerbosity } from "../options.ts";

export const exec = withVerbosity(withInventoryOptions(new Command("exec")))
  .description("run a command on hosts as root, and show equal answers once")
  .argument(
    "<pattern>",
    "hosts or groups, for example 'proxies,!kvm-03'; @failed and @changed of the last run",
  )
  .argument("<command...>", "behind --: a program with its arguments, or one word that the shell reads")
  .addOption(parallel("hosts at once"))
  .addOption(
    new Option("--timeout <time>", "how long it may take on a host, for example 5m")
      .argParser(patience)
      .default(60_000, "60s"),
  )
  .addHelpText(
    "after",
    `
The command runs as root, as the inventory's ssh.privilege says, with an empty
standard input. meshctl keeps no copy of what it changes and proves nothing of
it. Exit code 0 when it ended with 0 on every host.`,
  )
  .action(async (pattern: string, words: [string, ...string[]], flags: ExecFlags) => {
    const { execCommand } = await import("../exec-command.ts");
    process.exitCode = await execCommand(pattern, words, flags);
  });
