import { expect, it } from "vitest";
import { asksForJson, mistakeEvents } from "../../src/cli/report/mistakes.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { InvalidFiles } from "../../src/inventory/invalid-files.ts";
import { Secret } from "../../src/secret.ts";

const place = { file: "i.yaml", line: 2, column: 3, path: "hosts.a" };

it("tells programs of each mistake with its place, and of flags without one", () => {
  const files = new InvalidFiles(
    [
      { ...place, message: "unknown key", hint: "leave it out" },
      { ...place, line: 9, message: "x" },
    ],
    new Map(),
  );
  expect(
    mistakeEvents(files)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { v: 1, event: "mistake", ...place, message: "unknown key", hint: "leave it out" },
    { v: 1, event: "mistake", ...place, line: 9, message: "x" },
  ]);
  expect(JSON.parse(mistakeEvents(new ConfigurationError("error: unknown option '-x'"), "Type: y"))).toEqual({
    v: 1,
    event: "mistake",
    message: "unknown option '-x'",
    hint: "Type: y",
  });
});

it("shows programs no secret", () => {
  new Secret("hunter2-told");
  const files = new InvalidFiles([{ ...place, message: "found 'hunter2-told'" }], new Map());
  expect(mistakeEvents(files)).not.toContain("hunter2");
});

it.each([
  [["node", "meshctl", "validate", "--json"], true],
  [["node", "meshctl", "exec", "all", "--", "ls", "--json"], false],
  [["node", "meshctl", "validate"], false],
])("asks for JSON: %j is %s", (argv, asks) => {
  expect(asksForJson(argv)).toBe(asks);
});
