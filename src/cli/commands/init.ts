import { Command } from "commander";
import type { InitFlags } from "../init-command.ts";
import { hostKeys, parallel } from "../options.ts";

export const init = new Command("init")
  .description("write a first inventory: takes hosts, looks at each, proposes groups, ports and sizes")
  .argument("[file]", "the inventory to write", "inventories/site.yaml")
  .option("--hosts <list>", "these hosts: [NAME=][USER@]HOST[:PORT], with commas and ranges like kvm-[01:03]")
  .option(
    "--from-ssh-config [glob]",
    "the hosts that ~/.ssh/config names, or those that match a glob like 'kvm-*'",
  )
  .option(
    "--from-ansible <file>",
    "the hosts and groups of an Ansible inventory, in INI, YAML or JSON; - is standard input",
  )
  .option(
    "--from-terraform <file>",
    "the addresses in what `terraform output -json` prints; - is standard input",
  )
  .option("--user <name>", "log in as this user on hosts for which no other is given")
  .option("--identity-file <file>", "log in with this private key")
  .option("--known-hosts <file>", "keys of hosts, instead of ~/.ssh/known_hosts")
  .addOption(hostKeys())
  .option("--no-look", "touch no host: look up addresses alone, and check no ports and sizes")
  .option("--ensemble <hosts>", "ZooKeeper's members, with commas: an odd number")
  .option("--proxies <hosts>", "hosts with a local proxy, with commas")
  .option("--databases <hosts>", "hosts with MySQL or MariaDB, with commas; 'none' leaves their group out")
  .option("--services <names>", "first services of the mesh, with commas")
  .addOption(parallel("hosts looked at at once"))
  .option("--force", "overwrite an existing file")
  .option("-y, --yes", "ask nothing, take what is proposed")
  .option("--no-color", "no colours (also: NO_COLOR=1)")
  .addHelpText(
    "after",
    `
meshctl init asks on a terminal; with --yes or without a terminal it takes
everything from flags. It changes no host: it reads the release, machine,
memory, ports and packages, and writes ten blocks to disk to see how long a
flush takes.

The inventory is valid; it lists hosts that did not answer, too, and exit codes
4 and 5 report them.`,
  )
  .action(async (file: string, flags: InitFlags) => {
    const { initCommand } = await import("../init-command.ts");
    process.exitCode = await initCommand(file, flags);
  });
