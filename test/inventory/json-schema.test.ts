import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { inventorySchema } from "../../src/inventory/json-schema.ts";
import { playbookSchema } from "../../src/playbook/json-schema.ts";
import { steps } from "../../src/steps/registry.ts";

const root = join(import.meta.dirname, "../..");
const ajv = new Ajv2020({ strict: false, allErrors: true });
const validators = {
  inventories: ajv.compile(inventorySchema(steps)),
  playbooks: ajv.compile(playbookSchema(steps)),
};

describe("the schema for editors", () => {
  const shipped = (["inventories", "playbooks"] as const).flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => [kind, name] as const),
  );
  it.each(shipped)("of %s takes the shipped %s", (kind, name) => {
    const validate = validators[kind];
    // Tags of references are the editor's to know.
    validate(parse(readFileSync(join(root, kind, name), "utf8"), { logLevel: "silent" }));
    expect(validate.errors).toBeNull();
  });

  it.each<[keyof typeof validators, string, string]>([
    ["inventories", "version: 1\nhosts: { a: { address: 10.0.0.1, mysq: {} } }", "/hosts/a"],
    [
      "inventories",
      "version: 1\nhosts: { a: { address: 10.0.0.1, mysql: { server: oracle } } }",
      "/hosts/a/mysql/server",
    ],
    [
      "inventories",
      "version: 1\nhosts: {}\nmesh: { services: { x: { port: 70000 } } }",
      "/mesh/services/x/port",
    ],
    ["inventories", "version: 1\nhosts: {}\ngroups: { g: { max_fail: some } }", "/groups/g"],
    ["inventories", "version: 1\nhosts: {}\ngroups: { g: { hold: 30 } }", "/groups/g"],
    ["inventories", "hosts: {}", ""],
    ["playbooks", "version: 1\nplays: [{ hosts: all, steps: { nginx: {} } }]", "/plays/0/steps"],
    ["playbooks", "version: 1\nplays: [{ steps: { sysctl: {} } }]", "/plays/0"],
    [
      "playbooks",
      "version: 1\nplays: [{ hosts: all, steps: { haproxy: { maxconn: many } } }]",
      "/plays/0/steps/haproxy/maxconn",
    ],
  ])("of %s refuses %j", (kind, text, path) => {
    const validate = validators[kind];
    validate(parse(text));
    expect(validate.errors?.map(({ instancePath }) => instancePath)).toContain(path);
  });

  it("takes ranges of hosts", () => {
    const hosts = '"kvm-[01:03]": { address: "10.0.0.[1:3]", zookeeper: { id: "[1:3]" } }';
    validators.inventories(parse(`version: 1\nhosts: { ${hosts} }\ngroups: { zookeeper: ["kvm-[01:03]"] }`));
    expect(validators.inventories.errors).toBeNull();
  });

  it("has a description of every parameter", () => {
    const undescribed = steps.flatMap(({ name }) => {
      const schema = JSON.parse(JSON.stringify(inventorySchema(steps)));
      const { properties } = schema.properties.hosts.additionalProperties.properties[name];
      return Object.entries(properties as Record<string, { description?: string; not?: unknown }>)
        .filter(([, { description, not }]) => description === undefined && not === undefined)
        .map(([key]) => `${name}.${key}`);
    });
    expect(undescribed).toEqual([]);
  });
});
