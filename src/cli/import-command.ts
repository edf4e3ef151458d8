import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { ConfigurationError } from "../errors.ts";
import { type GivenFile, imported } from "../import/import.ts";

/** Prints or writes the inventory. Throws ConfigurationError for a file that cannot be read or understood. */
export function importCommand(paths: readonly string[], { output }: { readonly output?: string }): void {
  const text = imported(paths.map(givenFile));
  if (output === undefined) process.stdout.write(text);
  else writeNew(output, text);
}

/** What was imported may hold passwords; a file that is there is somebody's work. */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw new ConfigurationError(
      `--output: ${path} ${exists ? "is there already: name another file" : `cannot be written: ${(error as Error).message}`}`,
    );
  }
}

function givenFile(path: string): GivenFile {
  const text = read(path);
  if (!/^\s*\{/.test(text)) return { path, text };
  let directory: unknown;
  try {
    directory = JSON.parse(text.replace(/,(\s*[}\]])/g, "$1")).service_conf_dir;
  } catch (error) {
    throw new ConfigurationError(`${path}: is no JSON: ${(error as Error).message}`);
  }
  return typeof directory === "string"
    ? { path, text, services: servicesIn(path, directory) }
    : { path, text };
}

/** As the host has it, or copied beside the file. */
function servicesIn(path: string, directory: string): ReadonlyMap<string, string> {
  for (const folder of [resolve(dirname(path), directory), join(dirname(path), basename(directory))]) {
    let names: string[];
    try {
      names = readdirSync(folder);
    } catch {
      continue;
    }
    const files = names.filter((name) => extname(name) === ".json").sort();
    return new Map(files.map((name) => [basename(name, ".json"), checked(join(folder, name))]));
  }
  throw new ConfigurationError(
    `${path}: its service_conf_dir ${directory} is not there, and no ${basename(directory)} beside the file`,
  );
}

function checked(path: string): string {
  const text = read(path);
  try {
    JSON.parse(text.replace(/,(\s*[}\]])/g, "$1"));
  } catch (error) {
    throw new ConfigurationError(`${path}: is no JSON: ${(error as Error).message}`);
  }
  return text;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError(`${path}: cannot be read: ${(error as Error).message}`);
  }
}
