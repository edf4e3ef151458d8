import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { ConfigurationError } from "../errors.ts";
import { parseDuration } from "../quantity-text.ts";
import { parseWaveSize, type WaveSize } from "../waves.ts";

/** Flags that every command has. */
export interface FileOptions {
  readonly inventory?: string;
  readonly playbook?: string;
  readonly json?: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
  readonly verbose?: boolean;
}

/** Flags of the commands that go to hosts. */
export interface RunFlags extends FileOptions {
  readonly limit?: string;
  readonly steps?: readonly string[];
  readonly parallel: number;
  /** Milliseconds. */
  readonly waitForSsh?: number;
  readonly serial?: readonly WaveSize[];
  readonly maxFail?: number;
  /** Milliseconds. */
  readonly lockWait?: number;
  /** Milliseconds. */
  readonly bootWait?: number;
  /** False with `--no-diff`. */
  readonly diff: boolean;
  /** File for a JUnit report. */
  readonly junit?: string;
}

/** For what no playbook is needed for. */
export type InventoryOptions = Omit<FileOptions, "playbook">;

export function withInventoryOptions(command: Command): Command {
  return command
    .option("-i, --inventory <file>", "hosts and groups (default: the only file in inventories/)")
    .option("--json", "print the answer as JSON")
    .option("--no-color", "no colours (also: NO_COLOR=1)")
    .option("-v, --verbose", "tell more of what is done");
}

export function withFileOptions(command: Command): Command {
  return command
    .option("-i, --inventory <file>", "hosts, groups and the mesh (default: the only file in inventories/)")
    .option("-p, --playbook <file>", "what runs where (default: playbooks/site.yaml)")
    .option("--json", "print events as JSON, one a line (see the README)")
    .option("--no-color", "no colours (also: NO_COLOR=1)")
    .option("-v, --verbose", "show where each value was read, and whole diffs");
}

export function withRunFlags(command: Command): Command {
  return withFileOptions(command)
    .option(
      "-l, --limit <pattern>",
      "only these hosts, for example 'proxies,!db-01'; others are looked at where the evidence depends on them",
    )
    .option("--steps <names>", "only these steps, for example sysctl,haproxy", (text) => text.split(","))
    .option("--parallel <n>", "hosts worked on at once", positiveInteger, 10)
    .option(
      "--no-diff",
      "name the files that differ, and show nothing of what is in them, with --json neither",
    );
}

export function withWait(command: Command): Command {
  return command.option(
    "--wait-for-ssh <time>",
    "wait this long for hosts that are just coming up, and for their cloud-init; for example 120s",
    patience,
  );
}

/** As in the files, but with its unit: "--wait-for-ssh 120" would be milliseconds. */
export function patience(text: string): number {
  const milliseconds = parseDuration(text);
  if (
    milliseconds === undefined ||
    !/[a-z]$/.test(text) ||
    milliseconds < 1 ||
    milliseconds > MOST_PATIENCE_MS
  )
    throw new InvalidArgumentError("expected a time with its unit, like 120s or 5m, at most 24h");
  return milliseconds;
}

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

export function withJunit(command: Command): Command {
  return command.option(
    "--junit <file>",
    "write a JUnit report too: a suite for each host, a case for each setting",
  );
}

export function positiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text))
    throw new InvalidArgumentError("expected a whole number from 1 to 9999");
  return Number(text);
}

/** The inventory that was named, or the only one in inventories/. Throws ConfigurationError. */
export function inventoryFile(named: string | undefined): string {
  if (named !== undefined) return named;
  const found = existsSync("inventories")
    ? readdirSync("inventories").filter((name) => /\.ya?ml$/.test(name))
    : [];
  if (found.length === 1) return join("inventories", found[0]!);
  const why =
    found.length === 0 ? "there is no inventory in inventories/" : `inventories/ holds ${found.join(", ")}`;
  throw new ConfigurationError(`${why}: name one with -i FILE`);
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
