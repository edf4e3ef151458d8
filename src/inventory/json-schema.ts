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
import { hold, mostFailures, waveSizes } from "./wave-schema.ts";

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
      version: { const: 1, description: "of the format" },
      ssh: { description: "how to reach the hosts", ...jsonSchemaOf(sshSection) },
      network: { description: "how the hosts reach package registries", ...jsonSchemaOf(networkSection) },
      allow_os: jsonSchemaOf(allowOs),
      mesh: {
        description: "who keeps the registry, who has a local proxy, and what is offered through it",
        ...withProperties(mesh, {
          services: {
            description: "name of each service, and how it is found and offered",
            type: "object",
            additionalProperties: jsonSchemaOf(serviceEntry),
          },
          service_watcher: {
            description: "services as they are written for Synapse, which are translated",
            type: "object",
          },
          firewall: {
            description: "closes ZooKeeper's ports to all but the mesh; default: false",
            anyOf: [{ type: "boolean" }, jsonSchemaOf(firewallEntry)],
          },
        }),
      },
      hosts: {
        description: "name of each host, its address, and parameters of steps for it alone",
        type: "object",
        propertyNames: { anyOf: [jsonSchemaOf(hostName), RANGED] },
        additionalProperties: withProperties(jsonSchemaOf(hostEntry), withRangedId(layers)),
      },
      groups: {
        description: "name of each group, and its members: hosts and groups",
        type: "object",
        propertyNames: jsonSchemaOf(groupName),
        additionalProperties: {
          anyOf: [
            members,
            {
              type: "object",
              properties: {
                hosts: { description: "hosts and groups that belong to it", ...members },
                country: {
                  description: "where its hosts stand, by ISO 3166-1",
                  ...jsonSchemaOf(countryCode),
                },
                serial: {
                  description: "how many of its hosts a wave may disrupt, wave by wave",
                  ...jsonSchemaOf(waveSizes),
                },
                max_fail: {
                  description: "hosts that may fail before the run stops",
                  ...jsonSchemaOf(mostFailures),
                },
                hold: {
                  description: "how long the mesh is watched after each wave, like 30s",
                  ...jsonSchemaOf(hold),
                },
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

/** Name, address or id of several hosts. */
const RANGED = { type: "string", pattern: "\\[[0-9]{1,6}:[0-9]{1,6}\\]" };

function withRangedId(layers: Readonly<Record<string, JsonSchema>>): Readonly<Record<string, JsonSchema>> {
  const { zookeeper } = layers;
  if (zookeeper === undefined) return layers;
  const { description, ...id } = (zookeeper.properties as { readonly id: JsonSchema }).id;
  return {
    ...layers,
    zookeeper: withProperties(zookeeper, { id: { description, anyOf: [id, RANGED] } }),
  };
}

function withProperties(schema: JsonSchema, more: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { ...schema, properties: { ...(schema.properties as object), ...more } };
}
