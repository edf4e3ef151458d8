import * as z from "zod";
import type { AnyStep } from "../contract/step.ts";
import { countryCode } from "./country.ts";
import {
  allowOs,
  firewallEntry,
  groupName,
  hostEntry,
  hostName,
  meshSection,
  networkSection,
  serviceEntry,
  sshSection,
} from "./schema.ts";
import { mostFailures, waveSizes } from "./wave-schema.ts";

/** A JSON Schema (draft 2020-12), as editors read it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** What the YAML may say where a schema of ours is; what is a tag in YAML (!env) may be anything. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}

/** Parameters of each step, none of which has to be there: they are merged from several places. */
export function parametersSchema(steps: readonly AnyStep[]): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    steps.map(({ name, title, parameters }) => {
      const { required, ...schema } = jsonSchemaOf(parameters);
      return [name, { description: title, ...schema }];
    }),
  );
}

/** What editors know of an inventory: every key, and what it may say. Names that must be of the file are not checked. */
export function inventorySchema(steps: readonly AnyStep[]): JsonSchema {
  const layers = parametersSchema(steps);
  const members = { type: "array", items: { type: "string" } };
  const mesh = jsonSchemaOf(meshSection);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "meshctl inventory",
    type: "object",
    required: ["version", "hosts"],
    properties: {
      version: { const: 1 },
      ssh: jsonSchemaOf(sshSection),
      network: jsonSchemaOf(networkSection),
      allow_os: jsonSchemaOf(allowOs),
      mesh: withProperties(mesh, {
        services: { type: "object", additionalProperties: jsonSchemaOf(serviceEntry) },
        service_watcher: { type: "object" },
        firewall: { anyOf: [{ type: "boolean" }, jsonSchemaOf(firewallEntry)] },
      }),
      hosts: {
        type: "object",
        propertyNames: jsonSchemaOf(hostName),
        additionalProperties: withProperties(jsonSchemaOf(hostEntry), layers),
      },
      groups: {
        type: "object",
        propertyNames: jsonSchemaOf(groupName),
        additionalProperties: {
          anyOf: [
            members,
            {
              type: "object",
              properties: {
                hosts: members,
                country: jsonSchemaOf(countryCode),
                serial: jsonSchemaOf(waveSizes),
                max_fail: jsonSchemaOf(mostFailures),
                ...layers,
              },
              additionalProperties: false,
            },
          ],
        },
      },
    },
    additionalProperties: false,
  };
}

function withProperties(schema: JsonSchema, more: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { ...schema, properties: { ...(schema.properties as object), ...more } };
}
