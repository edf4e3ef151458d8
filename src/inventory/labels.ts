import * as z from "zod";
import type { LabelRule } from "../contract/mesh.ts";

const NAME = "expected a label's name, without blanks";
const VALUE = "expected text: put quotes around a number, true or false";

export const labelName = z.string().regex(/^[^\s\p{C}]{1,128}$/u, { error: NAME });
export const labelValue = z
  .string({ error: VALUE })
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{0,256}$/u, { error: "expected one line of text" });

const WANTED = "expected text that the label is to be, or { not: text }";

/** A service's `labels`: which of the backends at its path are its own. Label → what it is to be, or is not to be. */
export const labelRules = z
  .record(
    labelName,
    z.union(
      [
        labelValue,
        z.strictObject({
          not: z
            .union([labelValue, z.array(labelValue).min(1)])
            .describe("backends with this value are left out; a backend without the label is taken"),
        }),
      ],
      { error: ({ input }) => (["number", "boolean"].includes(typeof input) ? VALUE : WANTED) },
    ),
  )
  .transform((rules): readonly LabelRule[] =>
    Object.entries(rules).flatMap(([label, rule]): LabelRule[] =>
      typeof rule === "string"
        ? [{ label, value: rule, condition: "equals" }]
        : [rule.not].flat().map((value) => ({ label, value, condition: "not-equals" })),
    ),
  );

/** The same as Synapse writes it. */
export const labelFilters = z.array(
  z.strictObject({ label: labelName, value: labelValue, condition: z.enum(["equals", "not-equals"]) }),
);

/** Whether all rules hold for a backend with these labels, as Synapse judges: text is compared, and nothing else equals text. */
export function isPicked(rules: readonly LabelRule[], labels: Readonly<Record<string, unknown>>): boolean {
  return rules.every(
    ({ label, value, condition }) =>
      ((Object.hasOwn(labels, label) ? labels[label] : undefined) === value) === (condition === "equals"),
  );
}

/** The labels that a backend has to have for these rules. */
export function labelsFor(rules: readonly LabelRule[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    rules.flatMap(({ label, value, condition }) => (condition === "equals" ? [[label, value]] : [])),
  );
}

/** "kind=api, stage is not canary" */
export function shownRules(rules: readonly LabelRule[]): string {
  return rules
    .map(({ label, value, condition }) => `${label} ${condition === "equals" ? "is" : "is not"} "${value}"`)
    .join(", ");
}
