import { Argument, Command } from "commander";

const HOW = `
Editors with the YAML language server check a file and complete its keys by its
first line:

  # yaml-language-server: $schema=inventory.schema.json

References are tags: set yaml.customTags to
["!env scalar", "!file scalar", "!command sequence"].`;

export const schema = new Command("schema")
  .description("print the JSON Schema of inventories or playbooks, for editors")
  .addArgument(new Argument("<file>", "which kind of file").choices(["inventory", "playbook"]))
  .addHelpText("after", HOW)
  .action(async (kind: "inventory" | "playbook") => {
    const [{ inventorySchema }, { playbookSchema }, { steps }] = await Promise.all([
      import("../../inventory/json-schema.ts"),
      import("../../playbook/json-schema.ts"),
      import("../../steps/registry.ts"),
    ]);
    const found = kind === "inventory" ? inventorySchema(steps) : playbookSchema(steps);
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  });
