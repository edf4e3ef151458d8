import type { AnyStep } from "../contract/step.ts";
import { type JsonSchema, jsonSchemaOf, parametersSchema } from "../inventory/json-schema.ts";
import { hookKeys } from "./hook-schema.ts";
import { play } from "./read-playbook.ts";

/** What editors know of a playbook. */
export function playbookSchema(steps: readonly AnyStep[]): JsonSchema {
  const { properties, ...rest } = jsonSchemaOf(play);
  const hooks = Object.fromEntries(
    Object.entries(hookKeys).map(([key, schema]) => [key, jsonSchemaOf(schema)]),
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "meshctl playbook",
    type: "object",
    required: ["version", "plays"],
    properties: {
      version: { const: 1, description: "of the format" },
      plays: {
        description: "what is done where, in this order",
        type: "array",
        minItems: 1,
        items: {
          ...rest,
          required: ["hosts", "steps"],
          properties: {
            ...(properties as object),
            steps: {
              description: "steps in this order, each with parameters or none",
              type: "object",
              minProperties: 1,
              properties: Object.fromEntries(
                Object.entries(parametersSchema(steps)).map(([name, schema]) => [
                  name,
                  {
                    ...schema,
                    properties: { ...(schema.properties as object), ...hooks },
                    type: ["object", "null"],
                  },
                ]),
              ),
              additionalProperties: false,
            },
          },
        },
      },
    },
    additionalProperties: false,
  };
}
