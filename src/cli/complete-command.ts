import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { References } from "../inventory/reference.ts";
import { readSource, type Source } from "../inventory/source.ts";
import { completionOf, completionText, type Names } from "./completion.ts";
import { writtenRuns } from "./journal.ts";
import { inventoryFiles, playbookFile } from "./options.ts";

/** Prints what may stand in the place of the last word. Never throws: what cannot be read has no names. */
export function completeCommand(program: Command, words: readonly string[]): void {
  try {
    process.stdout.write(completionText(completionOf(program, words, namesFor)));
  } catch {
    // Whoever presses a key wants no error text.
  }
}

/** Reads the files as YAML and no more: nothing that they name is run or read, and what is wrong with them is not told. */
function namesFor(inventories: readonly string[], playbook: string | undefined): Names {
  const quietly = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch {
      return otherwise;
    }
  };
  // The shell has not expanded it yet.
  const expanded = (named: string) => (/^~(?:\/|$)/.test(named) ? join(homedir(), named.slice(1)) : named);
  const sourceOf = (named: string): Source => {
    const file = expanded(named);
    // A pipe would be waited for, or emptied.
    if (!statSync(file).isFile()) throw new Error("no regular file");
    return readSource(file, new References({}, undefined, true), () => {});
  };
  const keysOf = (...path: string[]) =>
    quietly(() => {
      const files =
        inventories.length === 0
          ? inventoryFiles(undefined)
          : inventoryFiles(inventories.filter((file) => file !== "-").map(expanded));
      return [...new Set(files.flatMap((file) => sourceOf(file).keys(path)))];
    }, []);
  return {
    hosts: () => keysOf("hosts"),
    groups: () => keysOf("groups"),
    services: () => [...keysOf("mesh", "services"), ...keysOf("mesh", "service_watcher")],
    steps: () =>
      quietly(() => {
        const source = sourceOf(playbookFile(playbook));
        const { plays } = source.value as { plays: readonly unknown[] };
        return [...new Set(plays.flatMap((_, at) => source.keys(["plays", at, "steps"])))];
      }, []),
    runs: () => quietly(writtenRuns, []),
  };
}
