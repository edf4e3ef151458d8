import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ConfigurationError } from "../errors.ts";
import { parseDuration } from "../quantity-text.ts";
import { parseWaveSize, type WaveSize } from "../waves.ts";
import { parseShard, type Shard } from "./shard.ts";

/** Flags that every command has. */
export interface FileOptions {
  /** Files and folders, in the order in which they were named. */
  readonly inventory?: readonly string[];
  readonly playbook?: string;
  readonly json?: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
}

/** Of the commands that go to hosts and tell more when they are asked to. */
export interface Verbosity {
  /** How often `-v` stands there. */
  readonly verbose?: number;
}

/** Flags of the commands that go to hosts. */
export interface RunFlags extends FileOptions, Verbosity {
  readonly limit?: string;
  readonly steps?: readonly string[];
  readonly parallel: number;
  /** Milliseconds. */
  readonly waitForSsh?: number;
  readonly serial?: readonly WaveSize[];
  readonly maxFail?: number;
  /** Milliseconds. */
  readonly hold?: number;
  /** Milliseconds. */
  readonly lockWait?: number;
  /** Milliseconds. */
  readonly bootWait?: number;
  /** False with `--no-diff`. */
  readonly diff: boolean;
  readonly shard?: Shard;
  /** File for a JUnit report. */
  readonly junit?: string;
  /** File for the events of the run. */
  readonly logFile?: string;
}

/** For what no playbook is needed for. */
export type InventoryOptions = Omit<FileOptions, "playbook">;

const INVENTORY =
  "hosts, groups and the mesh: a file, a folder, - or a program that prints them; several merge (default: the only file in inventories/)";

function collected(file: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), file];
}

export function withInventoryOptions(command: Command): Command {
  return command
    .option("-i, --inventory <file>", INVENTORY, collected)
    .option("--json", "print the answer as JSON")
    .option("--no-color", "no colours (also: NO_COLOR=1)");
}

export function withFileOptions(command: Command): Command {
  return command
    .option("-i, --inventory <file>", INVENTORY, collected)
    .option("-p, --playbook <file>", "what runs where (default: playbooks/site.yaml)")
    .option("--json", "print events as JSON, one a line (docs/json.md)")
    .option("--no-color", "no colours (also: NO_COLOR=1)");
}

/** For commands that go to hosts. `more`: what `-v` tells; what they run there is told by one more. */
export function withVerbosity(command: Command, more?: string): Command {
  const trace = "each script that runs on a host and each question, with the answers";
  return command.option(
    "-v, --verbose",
    more === undefined ? `show ${trace}` : `show ${more}; -vv: ${trace}, too`,
    (_, times: number) => times + 1,
    0,
  );
}

/** Whether `-v` stands there that often. */
export function tells({ verbose = 0 }: Verbosity, times: number): boolean {
  return verbose >= times;
}

export const WHERE_READ = "where each value was read, and whole diffs";

export function withLogFile(command: Command): Command {
  return command.option(
    "--log-file <file>",
    "write every event to this file too, one JSON object a line (docs/json.md)",
  );
}

export function withRunFlags(command: Command): Command {
  return withVerbosity(withLogFile(withFileOptions(command)), WHERE_READ)
    .option(
      "-l, --limit <pattern>",
      "only these hosts, for example 'proxies,!db-01'; others are looked at where the evidence depends on them",
    )
    .option("--steps <names>", "only these steps, for example sysctl,haproxy", (text) =>
      text.split(",").map((name) => name.trim()),
    )
    .addOption(parallel("hosts worked on at once"))
    .option("--no-diff", "name the files that differ without showing their content, with --json too");
}

/** How many hosts are begun at once. A host that lets itself be waited for holds up nobody: see Looks. */
export function parallel(words: string): Option {
  const most = Math.min(MOST_AT_ONCE, AT_ONCE_A_PROCESSOR * availableParallelism());
  return new Option("--parallel <n>", words)
    .argParser(positiveInteger)
    .default(most, `${AT_ONCE_A_PROCESSOR} for each processor of this machine`);
}

const AT_ONCE_A_PROCESSOR = 25;
const MOST_AT_ONCE = 400;

export function withWait(command: Command): Command {
  return command.option(
    "--wait-for-ssh <time>",
    "wait this long for hosts that are just coming up, and for their cloud-init; for example 120s",
    patience,
  );
}

/** As in the files, but with its unit: "--wait-for-ssh 120" would be milliseconds. */
export function patience(text: string): number {
  const milliseconds = timeWithUnit(text);
  if (milliseconds < 1) throw new InvalidArgumentError(TIME);
  return milliseconds;
}

function timeWithUnit(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || !/[a-z]$/.test(text) || milliseconds > MOST_PATIENCE_MS)
    throw new InvalidArgumentError(TIME);
  return milliseconds;
}

const TIME = "expected a time with its unit, like 120s or 5m, at most 24h";

const MOST_PATIENCE_MS = 24 * 3_600_000;

export function withBootWait(command: Command): Command {
  return command.option(
    "--boot-wait <time>",
    "how long a host that is rebooted may take to come up (default: 10m)",
    patience,
  );
}

export function withLockWait(command: Command): Command {
  return command.option(
    "--lock-wait <time>",
    "wait this long for another run that changes a host, for example 15m (default: fail there at once)",
    patience,
  );
}

export function withWaves(command: Command): Command {
  return command
    .option(
      "--serial <sizes>",
      "how many hosts each wave may disrupt, for example 1,25%,100% (the default) or 1",
      waveSizes,
    )
    .option(
      "--max-fail <n>",
      "how many disrupted hosts may fail before nothing more is begun (0)",
      wholeNumber,
    )
    .option(
      "--hold <time>",
      "watch the mesh this long after each wave before the next is begun, for example 30s",
      timeWithUnit,
    );
}

function waveSizes(text: string): readonly WaveSize[] {
  return text.split(",").map((part) => {
    const size = parseWaveSize(part);
    if (size === undefined)
      throw new InvalidArgumentError("expected hosts of a wave as numbers or shares of all, like 1,25%,100%");
    return size;
  });
}

export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 0 to 9999");
  return Number(text);
}

/** For what changes nothing: shards know nothing of each other's waves. */
export function withShard(command: Command): Command {
  return command.option(
    "--shard <n/of>",
    "only this part of the hosts, for example 2/8 in a CI matrix; their peers are looked at all the same",
    parseShard,
  );
}

export function withJunit(command: Command): Command {
  return command.option(
    "--junit <file>",
    "write a JUnit report too: a suite for each host, a case for each setting",
  );
}

export function withHtml(command: Command): Command {
  return command.option(
    "--html <file>",
    "write one page for a browser too, which needs no network: the mesh as a picture, what is wrong, the evidence",
  );
}

export function positiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text))
    throw new InvalidArgumentError("expected a whole number from 1 to 9999");
  return Number(text);
}

/**
 * The inventories that were named, each once and a folder as its files, or the only one in inventories/. Never empty.
 * Throws ConfigurationError.
 */
export function inventoryFiles(named: readonly string[] | undefined): readonly string[] {
  if (named !== undefined) return [...new Set(named.flatMap(filesOf))];
  const found = existsSync("inventories") ? yamlFilesIn("inventories") : [];
  if (found.length === 1) return [join("inventories", found[0]!)];
  const why =
    found.length === 0 ? "there is no inventory in inventories/" : `inventories/ holds ${found.join(", ")}`;
  throw new ConfigurationError(`${why}: name one with -i FILE`);
}

function filesOf(named: string): readonly string[] {
  if (!statSync(named, { throwIfNoEntry: false })?.isDirectory()) return [named];
  const files = yamlFilesIn(named).map((name) => join(named, name));
  if (files.length === 0)
    throw new ConfigurationError(`-i ${named}: holds no file that ends in .yaml or .yml`);
  return files;
}

function yamlFilesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .sort();
}

/** The playbook that was named, else playbooks/site.yaml here, else the one that comes with meshctl. */
export function playbookFile(named: string | undefined): string {
  if (named !== undefined) return named;
  const here = join("playbooks", "site.yaml");
  return existsSync(here) ? here : fileURLToPath(new URL("../../playbooks/site.yaml", import.meta.url));
}

/** Where artefacts that are built once are kept (XDG base directory specification). */
export function storeDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "meshctl", "artefacts");
}

/** Of commands that write an inventory of hosts they look at. */
export function hostKeys(): Option {
  return new Option("--host-keys <how>", "what to do about unknown host keys, in the inventory too").choices([
    "strict",
    "accept-new",
    "ask",
  ]);
}
