import type * as z from "zod";

/** Marks a union whose author gave it no words of its own: its branches are asked instead. */
export const UNION = "expected another shape";

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

const UNITS: Readonly<Record<string, string>> = { string: " characters", array: " entries" };

/** Zod's issue as "expected …". A message that the schema's author gave wins over this one. */
export function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value": {
      const values = issue.values.map(String);
      return values.length === 1 ? `expected ${values[0]}` : `expected one of ${values.join(", ")}`;
    }
    case "too_small":
      if (issue.minimum === 1 && issue.origin === "string") return "expected text that is not empty";
      if (issue.minimum === 1 && issue.origin === "array") return "expected at least one entry";
      return `expected ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${UNITS[issue.origin] ?? ""}`;
    case "too_big":
      return `expected ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${UNITS[issue.origin] ?? ""}`;
    case "invalid_format":
      return `expected ${issue.pattern === undefined ? issue.format : `text like ${issue.pattern}`}`;
    case "not_multiple_of":
      return `expected a multiple of ${issue.divisor}`;
    case "invalid_key":
      return "expected another name";
    case "invalid_union":
      return UNION;
    case "custom":
      return "expected another value";
    default:
      return undefined;
  }
}
