import * as z from "zod";
import type { InventoryView } from "../contract/inventory-view.ts";
import type { GemSource } from "./build.ts";
import { gemDirectoryProblem } from "./gem-directory.ts";
import { GEMS } from "./locked-gems.ts";

/** Parameters of every step that puts gems on hosts. */
export const gemParameters = {
  build_host: z
    .string()
    .optional()
    .describe("host that compiles the gems; default: the first of each release and architecture"),
  gems: z
    .string()
    .min(1)
    .optional()
    .describe(
      "folder of .gem files on the machine meshctl runs on, found from the folder of the file that names it; default: they are downloaded",
    ),
};

/** Which of them are places on the control machine. */
export const GEM_PATHS = [["gems"]];

interface GemParameters {
  readonly build_host?: string | undefined;
  readonly gems?: string | undefined;
}

/** What is wrong with them: a build host that is none, a folder that does not hold the gems as they are locked. */
export function gemProblems({ build_host, gems }: GemParameters, inventory: InventoryView, locked = GEMS) {
  const problems: { path: string[]; message: string }[] = [];
  if (build_host !== undefined && !inventory.hosts.has(build_host)) {
    problems.push({ path: ["build_host"], message: `"${build_host}" is not a host of the inventory` });
  }
  const problem = gems === undefined ? undefined : gemDirectoryProblem(gems, locked);
  if (problem !== undefined) problems.push({ path: ["gems"], message: problem });
  return problems;
}

export function gemSource({ build_host, gems }: GemParameters, { network }: InventoryView): GemSource {
  return { buildHost: build_host, gemDirectory: gems, network };
}
