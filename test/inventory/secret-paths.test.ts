import { expect, it } from "vitest";
import { privateKeyLines } from "../../src/inventory/secret-paths.ts";

const BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";

it.each<[string, string, string[]]>([
  [
    "of a key in a block, and nothing behind it",
    `key: |\n  ${BEGIN}\n  b3BlbnNzaC1rZXktdjEAAAAA\n  c2hvcnQ=\n  -----END OPENSSH PRIVATE KEY-----\nhosts_of_the_mesh: {}\n`,
    ["b3BlbnNzaC1rZXktdjEAAAAA"],
  ],
  [
    "of a key in one line",
    `key: "${BEGIN}\\nb3BlbnNzaC1rZXktdjEAAAAA\\n-----END"`,
    ["\\nb3BlbnNzaC1rZXktdjEAAAAA\\n"],
  ],
  [
    "of one that has no end, as far as it looks like one",
    `# ${BEGIN}\n  b3BlbnNzaC1rZXktdjEAAAAA\nhosts_of_the_mesh: { kvm-01: {} }\nmembers_of_the_mesh\n`,
    ["b3BlbnNzaC1rZXktdjEAAAAA"],
  ],
])("knows the lines %s", (_, text, lines) => expect(privateKeyLines(text)).toEqual(lines));
