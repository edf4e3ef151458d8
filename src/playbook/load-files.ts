import type { AnyStep } from "../contract/step.ts";
import { InvalidFiles } from "../inventory/invalid-files.ts";
import type { Inventory, ReadInventory } from "../inventory/inventory.ts";
import { mergedSource } from "../inventory/merged-source.ts";
import { Problems } from "../inventory/problems.ts";
import { rangedSource } from "../inventory/ranged-source.ts";
import { readInventory } from "../inventory/read-inventory.ts";
import { References } from "../inventory/reference.ts";
import { type FileOrText, readSource, type Source } from "../inventory/source.ts";
import type { Job } from "./job.ts";
import { readPlaybook } from "./read-playbook.ts";
import { resolveJob } from "./resolve-job.ts";

export interface Files {
  /** Several are merged. */
  readonly inventoryFile: FileOrText | readonly FileOrText[];
  readonly playbookFile: string;
  /** What `!env` reads and `!command` runs with; default: the process's own. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Leaves unread and unrun what references name: for files that a stranger may have written. */
  readonly noReferences?: boolean;
}

/**
 * The inventory alone, for what no playbook is needed for. Throws InvalidFiles with every problem of it; a step's parameters
 * are not looked into.
 */
export async function loadInventoryFiles(
  inventoryFiles: readonly string[],
  steps: readonly AnyStep[],
): Promise<ReadInventory["inventory"]> {
  const problems = new Problems();
  const sources = readInventories(inventoryFiles, new References(process.env), problems);
  const read = readInventory(
    mergedSource(sources, problems),
    steps.map(({ name }) => name),
    problems,
  );
  if (read !== undefined && problems.count === 0) return read.inventory;
  throw invalid(sources, problems);
}

/**
 * Inventory and playbook, joined and typed. Reads the two files and what they name with `!file` and `ca_file`, runs
 * what they name with `!command`, and touches no host. Throws InvalidFiles with every problem of all files.
 */
export async function loadFiles(
  { inventoryFile, playbookFile, environment = process.env, noReferences = false }: Files,
  steps: readonly AnyStep[],
): Promise<{ inventory: Inventory; job: Job }> {
  const problems = new Problems();
  const report = problems.report.bind(problems);
  const names = steps.map(({ name }) => name);
  const references = new References(environment, undefined, noReferences);
  const inventories = readInventories([inventoryFile].flat(), references, problems);
  const read = readInventory(mergedSource(inventories, problems), names, problems);

  const playbookSource = readSource(playbookFile, references, report, "playbook");
  const plays = readPlaybook(playbookSource, steps, problems);
  if (read !== undefined) {
    const loaded = resolveJob(playbookSource, plays, read, steps, problems);
    if (problems.count === 0) return loaded;
  }
  throw invalid([...inventories, playbookSource], problems);
}

function readInventories(
  files: readonly FileOrText[],
  references: References,
  problems: Problems,
): readonly [Source, ...Source[]] {
  const [first, ...others] = files.map((file) =>
    rangedSource(readSource(file, references, problems.report.bind(problems)), problems),
  );
  if (first === undefined) throw new Error("no inventory is named");
  return [first, ...others];
}

function invalid(sources: readonly Source[], problems: Problems): InvalidFiles {
  const texts = sources.map(({ file, text }) => [file, text] as const);
  return new InvalidFiles(problems.sorted(sources.map(({ file }) => file)), new Map(texts));
}
