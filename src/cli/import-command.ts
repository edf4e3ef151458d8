import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { commandLine } from "../command-line.ts";
import { EXIT } from "../engine/exit-code.ts";
import { ConfigurationError } from "../errors.ts";
import { type GivenFile, isHaproxy, smartstackIn } from "../import/given-file.ts";
import { imported } from "../import/import.ts";
import { mapOf } from "../import/synapse.ts";
import { fileError } from "../inventory/file-error.ts";
import { loadFiles } from "../playbook/load-files.ts";
import { steps } from "../steps/registry.ts";
import { type LivingFlags, lookAtRunning } from "./import-living.ts";
import { playbookFile } from "./options.ts";

interface ImportFlags extends LivingFlags {
  readonly output?: string;
  /** Hosts to read instead of files. */
  readonly from?: string;
}

/**
 * Prints or writes the inventory; one of living hosts is as `meshctl validate` takes it. Returns the exit code. Throws
 * ConfigurationError for a file that cannot be read or understood, and where no host can.
 */
export async function importCommand(paths: readonly string[], flags: ImportFlags): Promise<number> {
  const { output, from } = flags;
  if (from === undefined && paths.length === 0)
    throw new ConfigurationError("import: name files, or hosts to read with --from");
  if (from !== undefined && paths.length > 0)
    throw new ConfigurationError(
      "import: files are read from here or, with --from, from hosts, not both at once",
    );
  const write = (text: string) => {
    if (output === undefined) process.stdout.write(text);
    else writeNew(output, text);
  };
  if (from === undefined) {
    write(imported(paths.map(givenFile)));
    return EXIT.asWanted;
  }
  const { living, exitCode } = await lookAtRunning(from, flags);
  const text = imported(
    living.hosts.flatMap(({ files }) => files),
    living,
  );
  write(text);
  const file = output ?? "import.yaml";
  await loadFiles({ inventoryFile: { file, text }, playbookFile: playbookFile(undefined) }, steps);
  if (output !== undefined)
    process.stderr.write(
      `${output} is written and valid. Look through it, then: ${commandLine("meshctl", "plan", "-i", output)}\n`,
    );
  return exitCode;
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
  if (isHaproxy(text)) return { path, text };
  const json = checked(path, text);
  if (!SMARTSTACK_KEYS.some((key) => key in json))
    throw new ConfigurationError(
      `${path}: is neither a file of Synapse or Nerve nor haproxy.cfg: no line begins a section of it`,
    );
  const directory = json.service_conf_dir;
  return typeof directory === "string"
    ? { path, text, services: servicesIn(path, directory) }
    : { path, text };
}

/** By which a file is told from any other JSON or YAML. */
const SMARTSTACK_KEYS = ["services", "service_watcher", "haproxy", "instance_id", "service_conf_dir"];

/** As the host has it, or copied beside the file. */
function servicesIn(path: string, directory: string): ReadonlyMap<string, string> {
  for (const folder of [resolve(dirname(path), directory), join(dirname(path), basename(directory))]) {
    let names: string[];
    try {
      names = readdirSync(folder);
    } catch {
      continue;
    }
    const files = names.filter((name) => [".json", ".yaml"].includes(extname(name))).sort();
    return new Map(
      files.map((name) => {
        const file = join(folder, name);
        const text = read(file);
        checked(file, text);
        return [basename(name, extname(name)), text];
      }),
    );
  }
  throw new ConfigurationError(
    `${path}: its service_conf_dir ${directory} is not there, and no ${basename(directory)} beside the file`,
  );
}

function checked(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return mapOf(smartstackIn(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigurationError(`${path}: is neither JSON nor YAML of Synapse or Nerve: ${error.message}`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError(`${path}: ${fileError(error)}`);
  }
}
