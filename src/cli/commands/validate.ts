import { Command } from "commander";
import { type FileOptions, withFileOptions } from "../options.ts";

export const validate = withFileOptions(new Command("validate"))
  .description("check inventory and playbook; no host is touched")
  .option(
    "--no-references",
    "run no !command and read no !file and !env: for files of strangers, as in the CI of a fork's pull request",
  )
  .action(async (flags: FileOptions & { references: boolean }) => {
    const { load } = await import("../load.ts");
    const { inventory, job, inventoryFile, playbookFile } = await load({
      ...flags,
      noReferences: !flags.references,
    });
    const steps = [...new Set(job.plays.flatMap((play) => play.steps.map(({ step }) => step.name)))];
    const counts = {
      inventory: inventoryFile,
      playbook: playbookFile,
      hosts: inventory.hosts.size,
      services: inventory.mesh.services.length,
      steps,
    };
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ v: 1, event: "valid", ...counts })}\n`
        : `${inventoryFile} and ${playbookFile} are valid: ${counts.hosts} hosts, ${counts.services} services, steps ${steps.join(", ")}\n`,
    );
  });
