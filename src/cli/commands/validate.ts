import { Command } from "commander";
import { ensembleNotes } from "../../inventory/mesh-notes.ts";
import { counted } from "../../quantity-text.ts";
import { type FileOptions, withFileOptions } from "../options.ts";
import { brokenFor } from "../ui/wrapped.ts";

export const validate = withFileOptions(new Command("validate"))
  .description("check inventory and playbook; no host is touched")
  .option(
    "--no-references",
    "run no !command and read no !file and !env: for files of strangers, as in the CI of a fork's pull request",
  )
  .action(async (flags: FileOptions & { references: boolean }) => {
    const { load } = await import("../load.ts");
    const { inventory, job, inventoryFiles, playbookFile } = await load({
      ...flags,
      noReferences: !flags.references,
    });
    const steps = [...new Set(job.plays.flatMap((play) => play.steps.map(({ step }) => step.name)))];
    const notes = ensembleNotes(inventory.mesh);
    for (const note of notes) process.stderr.write(`${brokenFor(process.stderr, `! ${note}`)}\n`);
    const counts = {
      inventory: inventoryFiles.length === 1 ? inventoryFiles[0] : inventoryFiles,
      playbook: playbookFile,
      hosts: inventory.hosts.size,
      services: inventory.mesh.services.length,
      steps,
    };
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ v: 1, event: "valid", ...counts, notes })}\n`
        : `${brokenFor(process.stdout, `${inventoryFiles.join(", ")} and ${playbookFile} are valid: ${counted(counts.hosts, "host")}, ${counted(counts.services, "service")}, steps ${steps.join(", ")}`)}\n`,
    );
  });
