import { Command } from "commander";

export const importing = new Command("import")
  .description(
    "make an inventory of synapse.conf.json, nerve.conf.json and haproxy.cfg: what is taken, what has no place, what changes",
  )
  .argument(
    "<file...>",
    "the files, of either kind; a service_conf_dir is read beside the file that names it",
  )
  .option("-o, --output <file>", "write it there, readable by you alone, instead of to standard output")
  .action(async (files: string[], flags: { readonly output?: string }) => {
    const { importCommand } = await import("../import-command.ts");
    importCommand(files, flags);
  });
