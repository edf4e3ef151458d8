import { readFileSync } from "node:fs";
import type { WantedFile } from "../../contract/change.ts";
import { sha256Of } from "../../evidence/file.ts";
import { fileError } from "../../inventory/file-error.ts";
import { type Content, revealContent, Secret } from "../../secret.ts";
import type { FilesParameters } from "./parameters.ts";

export interface FilesDesired {
  /** In the inventory's order. */
  readonly files: readonly WantedFile[];
  readonly packages: readonly string[];
  readonly units: readonly WantedUnit[];
  readonly check: { readonly run: string; readonly timeoutMs: number } | undefined;
  readonly adopt: boolean;
}

export interface WantedUnit {
  readonly name: string;
  /** Undefined where it may be as it is. */
  readonly enabled: boolean | undefined;
  readonly running: boolean | undefined;
  readonly onChange: "restart" | "reload" | "nothing";
  /** Paths of the step's files that it goes by. */
  readonly files: readonly string[];
}

export function filesDesired({ files, packages, units, check, adopt }: FilesParameters): FilesDesired {
  return {
    files: Object.entries(files).map(([path, { owner, group = owner, mode, ...source }]) => {
      return { path, content: contentOf(source), mode, owner: `${owner}:${group}` };
    }),
    packages: [...new Set(packages)].sort(),
    units: Object.entries(units).map(([name, unit]) => ({
      name,
      enabled: unit.enabled,
      running: unit.running,
      onChange: unit.on_change ?? (name.endsWith(".service") ? "restart" : "nothing"),
      files: unit.files ?? Object.keys(files),
    })),
    check,
    adopt,
  };
}

type Source = Pick<FilesParameters["files"][string], "content" | "src" | "secret">;

function contentOf({ content, src, secret }: Source): Content {
  if (src === undefined) return [content ?? ""];
  const read = readSource(src);
  // What is wrong with it was reported; it may be gone since.
  if ("problem" in read) throw new Error(read.problem);
  if (!secret) return [read.text];
  // Programs print single lines of what they read.
  for (const line of read.text.split("\n")) if (line.trim().length >= LEAST_MASKED) new Secret(line.trim());
  return [new Secret(read.text)];
}

/** A shorter one would be masked wherever it stands in a word. */
const LEAST_MASKED = 8;

/** A reader takes no more of a file. */
const MOST_BYTES = 256 * 1024;

/** The text of a file of this machine, or why it cannot be put on hosts. */
export function readSource(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MOST_BYTES) return { problem: `${path} is larger than 256 KiB` };
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? { problem: `${path} holds a NUL character` } : { text };
  } catch (error) {
    if (error instanceof TypeError) return { problem: `${path} is no text in UTF-8` };
    return { problem: `${path}: ${fileError(error)}` };
  }
}

/** What a unit, or the check, goes by, as one digest; record-loaded.sh makes it, too. A file that is not there is left out. */
export function digestOfFiles(
  paths: readonly string[],
  digestOf: (path: string) => string | undefined,
  more = "",
): string {
  const lines = [...paths].sort().flatMap((path) => {
    const digest = digestOf(path);
    return digest === undefined ? [] : [`${path} ${digest}\n`];
  });
  return sha256Of(lines.join("") + more);
}

/** sha256 of each file as it is wanted. */
export function wantedDigests({ files }: FilesDesired): ReadonlyMap<string, string> {
  return new Map(files.map(({ path, content }) => [path, sha256Of(revealContent(content))]));
}
