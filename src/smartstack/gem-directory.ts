import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "../inventory/file-error.ts";
import { gemFile } from "./build.ts";
import type { Gem } from "./locked-gems.ts";

/** Why a folder of this machine cannot give the gems, in one sentence; undefined when each is there as locked. */
export function gemDirectoryProblem(directory: string, gems: readonly Gem[]): string | undefined {
  let present: readonly string[];
  try {
    present = readdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return `${directory}: no such folder`;
    return `${directory}: ${fileError(error)}`;
  }
  const missing = gems.map(gemFile).filter((file) => !present.includes(file));
  if (missing.length > 0) return `${directory} lacks ${missing.join(", ")}`;
  for (const gem of gems) {
    const path = join(directory, gemFile(gem));
    try {
      const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
      if (sha256 !== gem.sha256) return `${path} has the sha256 ${sha256}, expected ${gem.sha256}`;
    } catch (error) {
      return `${path}: ${fileError(error)}`;
    }
  }
  return undefined;
}
