import { describe, expect, it } from "vitest";
import { inventorySchema, parametersSchema } from "../../src/inventory/json-schema.ts";
import { playbookSchema } from "../../src/playbook/json-schema.ts";
import { steps } from "../../src/steps/registry.ts";
import { keysOf, tableOf } from "./tables.ts";

const names: ReadonlySet<string> = new Set(steps.map(({ name }) => name));
const inventory = keysOf(inventorySchema(steps)).filter(({ path }) => !isOfStep(path));
const playbook = keysOf(playbookSchema(steps)).filter(({ path }) => !isOfStep(path));
const ofSteps = Object.entries(parametersSchema(steps));

/** "hosts.NAME.haproxy.maxconn", but not "mesh.zookeeper". */
function isOfStep(path: string): boolean {
  const [, step] = /^(?:hosts\.NAME|groups\.NAME|plays\[\]\.steps)\.([^.]+)/.exec(path) ?? [];
  return step !== undefined && names.has(step);
}

describe("the manual of the files' keys", () => {
  it("says of every key what it is", () => {
    const all = [...inventory, ...playbook, ...ofSteps.flatMap(([, schema]) => keysOf(schema))];
    expect(all.filter(({ description }) => description === "").map(({ path }) => path)).toEqual([]);
  });

  // Written anew by `npm run test:unit -- -u`.
  it("is what the schemas say", async () => {
    const parts = [
      "# Keys of an inventory and a playbook",
      "Made from the schemas that the files are checked with; `meshctl schema` prints those for editors. NAME is a name of your\nown, `[]` stands for each entry of a list. Durations: `500ms`, `2s`, or a plain number of milliseconds from 100. Sizes: `512M`,\n`1G`, or a plain number of bytes. [inventories/example.yaml](../inventories/example.yaml) shows them in use.",
      "## Inventory",
      tableOf(inventory),
      "Beside these a host and a group may hold parameters of each step, under the step's name.",
      "## Playbook",
      tableOf(playbook),
      "## Parameters of steps",
      "In a play's `steps`, in a group, or at a host; the later wins. In a play each may hold `before` and `after`, too, as the play itself.",
      ...ofSteps.flatMap(([name, schema]) => {
        const keys = keysOf(schema);
        return [
          `### ${name}`,
          String(schema.description),
          keys.length === 0 ? "It has none." : tableOf(keys),
        ];
      }),
    ];
    await expect(`${parts.join("\n\n")}\n`).toMatchFileSnapshot("../../docs/keys.md");
  });
});
