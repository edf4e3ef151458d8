import { InvalidFiles } from "../../inventory/invalid-files.ts";
import { maskSecrets } from "../../secret.ts";
import { jsonLine } from "./ndjson.ts";

/** What is wrong with files or flags, one event each: with its place where a file has one. Secrets are masked. */
export function mistakeEvents(error: Error, hint?: string): string {
  const mistakes =
    error instanceof InvalidFiles
      ? error.diagnostics
      : [{ message: error.message.replace(/^error: /, "").trim(), ...(hint === undefined ? {} : { hint }) }];
  const mask = (_key: string, value: unknown) => (typeof value === "string" ? maskSecrets(value) : value);
  return mistakes.map((mistake) => jsonLine({ v: 1, event: "mistake", ...mistake }, mask)).join("");
}

/** Whether a command line asks for JSON: what stands behind `--` is a host's own command. */
export function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? undefined : end).includes("--json");
}
