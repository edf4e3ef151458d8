import { readFileSync, writeFileSync } from "node:fs";
import { ConfigurationError } from "../errors.ts";
import { fileError } from "../inventory/file-error.ts";
import { joinRecordings } from "./recorded-hosts.ts";
import { joinJunit } from "./report/join-junit.ts";
import { joinNdjson } from "./report/join-ndjson.ts";

/** A report of one part of the hosts. */
export interface Part {
  readonly file: string;
  readonly text: string;
}

/** Joins reports of the same kind into one. Throws ConfigurationError where they are none, or of different kinds. */
export function joinReports(parts: readonly Part[]): string {
  const kinds = parts.map((part) => kindOf(part));
  const [kind] = kinds;
  const other = kinds.findIndex((each) => each !== kind);
  if (other !== -1)
    throw new ConfigurationError(
      `${parts[0]!.file} is ${NAMES[kind!]}, and ${parts[other]!.file} is ${NAMES[kinds[other]!]}: join each kind by itself`,
    );
  return JOIN[kind!](parts);
}

/** Reads reports, and prints what they are together, or writes it to a file for this user alone. */
export function joinCommand(files: readonly string[], output: string | undefined): void {
  const parts = files.map((file) => {
    try {
      return { file, text: readFileSync(file, "utf8") };
    } catch (error) {
      throw new ConfigurationError(`${file}: ${fileError(error)}`);
    }
  });
  const joined = joinReports(parts);
  if (output === undefined) {
    process.stdout.write(joined);
    return;
  }
  try {
    writeFileSync(output, joined, { mode: 0o600 });
  } catch (error) {
    throw new ConfigurationError(`--output ${output}: ${fileError(error)}`);
  }
}

type Kind = "junit" | "events" | "recording";

const NAMES: Readonly<Record<Kind, string>> = {
  junit: "a JUnit report",
  events: "a list of events (--json)",
  recording: "a recording",
};

const JOIN: Readonly<Record<Kind, (parts: readonly Part[]) => string>> = {
  junit: joinJunit,
  events: joinNdjson,
  recording: joinRecordings,
};

function kindOf({ file, text }: Part): Kind {
  if (/^<\?xml [^>]*>\s*<testsuites /.test(text)) return "junit";
  if (/^\{"v":/.test(text)) return "events";
  if (/^\s*\{\s*"meshctl_recording":/.test(text)) return "recording";
  throw new ConfigurationError(`${file} is none of what verify and plan write: --junit, --json or --record`);
}
