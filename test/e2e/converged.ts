import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Lab, startLab } from "../lab/lab.ts";
import { repositoryRoot } from "../lab/paths.ts";
import type { Suite } from "../lab/suite.ts";
import { eventually, mustRun } from "./backends.ts";
import { inventoryFor, meshctl, openRows, summaryOf } from "./meshctl.ts";

/** All that goes into converged hosts, from the repository's folder on; the lab's own files lay out their disks. */
const INGREDIENTS = [
  "bin",
  "dist",
  "package.json",
  "inventories/lab.yaml",
  "playbooks",
  "test/lab",
  "test/e2e/converged.ts",
];

/** Three bare hosts at once, and those of another worker beside them. */
const MAKING_MS = 1_000_000;

interface ConvergedOptions {
  readonly suite?: Suite;
  /** Of each host, as for any lab. */
  readonly memoryMax?: string;
  /** The lab's inventory as it fits the suite. */
  readonly edit?: (yaml: string) => string;
}

/**
 * Three hosts that meshctl has made what the lab's inventory says, and that were booted since: every setting is proven.
 * The first lab of a slot provisions them; the later ones are there in seconds.
 */
export async function convergedLab({
  suite = "bookworm",
  memoryMax,
  edit = (yaml) => yaml,
}: ConvergedOptions = {}): Promise<Lab> {
  const lab = await startLab({
    ...{ hosts: 3, suite },
    ...(memoryMax === undefined ? {} : { memoryMax }),
    layer: {
      recipe: recipeOf(suite, edit),
      make: async (bare) => {
        const command = ["provision", "-i", await inventoryFor(bare, edit), "--yes", "--json"];
        const ended = await meshctl(command, { timeoutMs: MAKING_MS });
        // With its reason, should it be otherwise.
        const outcomes = summaryOf(ended).hosts.map(({ outcome, because }) => because ?? outcome);
        expect(outcomes).toEqual(bare.hosts.map(() => "as wanted"));
        expect(openRows(ended)).toEqual([]);
        expect(ended.code, ended.stderr).toBe(0);
        // Nobody asks for a package's file again, and they are a third of the layer.
        await Promise.all(bare.hosts.map((host) => mustRun(host, "apt-get clean")));
      },
    },
  });
  const inventory = await inventoryFor(lab, edit);
  try {
    await eventually(
      "every setting is proven after the boot",
      async () => {
        const ended = await meshctl(["verify", "-i", inventory, "--json"]);
        return { code: ended.code, open: openRows(ended) };
      },
      ({ code }) => code === 0,
      120_000,
    );
  } catch (error) {
    await lab.down();
    await lab.forgetLayer();
    throw error;
  }
  return lab;
}

function recipeOf(suite: Suite, edit: (yaml: string) => string): string {
  const hash = createHash("sha256").update(suite);
  const inventory = readFileSync(join(repositoryRoot, "inventories/lab.yaml"), "utf8");
  hash.update(edit(inventory));
  hash.update(readFileSync("/etc/ssl/certs/ca-certificates.crt"));
  for (const file of INGREDIENTS.flatMap(filesIn))
    hash.update(`\0${file}\0`).update(readFileSync(join(repositoryRoot, file)));
  return hash.digest("hex");
}

/** Files at or below a path of the repository, in an order of their own; but for tests and what this Node compiled. */
function filesIn(path: string): string[] {
  const absolute = join(repositoryRoot, path);
  if (!statSync(absolute).isDirectory()) return [path];
  return readdirSync(absolute, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((name) => statSync(join(repositoryRoot, name)).isFile() && !/\.(?:test\.ts|cache)$/.test(name))
    .sort();
}
