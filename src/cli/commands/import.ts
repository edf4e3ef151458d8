import { Command } from "commander";
import { hostKeys, parallel } from "../options.ts";

export const importing = new Command("import")
  .description(
    "make an inventory of synapse.conf.json, nerve.conf.json and haproxy.cfg, or of hosts on which a mesh runs: what is taken, what has no place, what changes",
  )
  .argument(
    "[file...]",
    "the files, of either kind; a service_conf_dir is read beside the file that names it",
  )
  .option(
    "--from <hosts>",
    "read these hosts over SSH instead: [NAME=][USER@]HOST[:PORT], with commas and ranges like kvm-[01:03]",
  )
  .option("-o, --output <file>", "write it there, readable by you alone, instead of to standard output")
  .option("--user <name>", "log into all hosts as this user, where nothing else is said")
  .option("--identity-file <file>", "and with this key")
  .option("--known-hosts <file>", "keys of hosts, instead of ~/.ssh/known_hosts")
  .addOption(hostKeys())
  .addOption(parallel("hosts read at once"))
  .option("--no-color", "no colours (also: NO_COLOR=1)")
  .addHelpText(
    "after",
    `
With --from it reads what runs: the command lines of Synapse, Nerve, HAProxy and ZooKeeper say where their files are; with
them InnoDB's settings and the kernel's. It changes nothing. Exit codes 4 and 5 say that some hosts were not read.`,
  )
  .action(
    async (files: string[], flags: Parameters<typeof import("../import-command.ts").importCommand>[1]) => {
      const { importCommand } = await import("../import-command.ts");
      process.exitCode = await importCommand(files, flags);
    },
  );
