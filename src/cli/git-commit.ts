import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The commit that is checked out where a file is; undefined where no repository holds it. Runs no program. */
export function commitAround(file: string): string | undefined {
  const repository = repositoryAround(dirname(resolve(file)));
  if (repository === undefined) return undefined;
  const head = lineOf(join(repository, "HEAD"));
  const [, ref] = /^ref: (\S+)$/.exec(head ?? "") ?? [];
  if (ref === undefined) return hashIn(head);
  // A work tree of several has a HEAD of its own, and branches in common.
  const common = resolve(repository, lineOf(join(repository, "commondir")) ?? ".");
  return hashIn(lineOf(join(common, ref))) ?? packed(common, ref);
}

function repositoryAround(folder: string): string | undefined {
  const git = join(folder, ".git");
  const found = statSync(git, { throwIfNoEntry: false });
  if (found?.isDirectory()) return git;
  const [, elsewhere] = /^gitdir: (.+)$/.exec((found && lineOf(git)) ?? "") ?? [];
  if (elsewhere !== undefined) return resolve(folder, elsewhere);
  return dirname(folder) === folder ? undefined : repositoryAround(dirname(folder));
}

function packed(repository: string, ref: string): string | undefined {
  const lines = textOf(join(repository, "packed-refs"))?.split("\n") ?? [];
  return hashIn(lines.find((line) => line.endsWith(` ${ref}`)));
}

function hashIn(line: string | undefined): string | undefined {
  return /^[0-9a-f]{40,64}\b/.exec(line ?? "")?.[0];
}

function lineOf(file: string): string | undefined {
  return textOf(file)?.split("\n")[0];
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
