import { Command } from "commander";
import { hostKeys, parallel } from "../options.ts";

export const importing = new Command("import")
  .description(
    "write an inventory from synapse.conf.json, nerve.conf.json and haproxy.cfg, or from hosts on which a mesh runs; show what is taken, what has no place and what changes",
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
  .option("--user <name>", "log in as this user on hosts for which no other is given")
  .option("--identity-file <file>", "log in with this private key")
  .option("--known-hosts <file>", "keys of hosts, instead of ~/.ssh/known_hosts")
  .addOption(hostKeys())
  .addOption(parallel("hosts read at once"))
  .option("--no-color", "no colours (also: NO_COLOR=1)")
  .addHelpText(
    "after",
    `
With --from it reads what runs: the command lines of Synapse, Nerve, HAProxy
and ZooKeeper say where their files are; with them InnoDB's settings and the
kernel's. It changes nothing. Exit codes 4 and 5 say that some hosts were not
read.`,
  )
  .action(
    async (files: string[], flags: Parameters<typeof import("../import-command.ts").importCommand>[1]) => {
      const { importCommand } = await import("../import-command.ts");
      process.exitCode = await importCommand(files, flags);
    },
  );
