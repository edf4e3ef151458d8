import { readFileSync, type Stats, statSync } from "node:fs";
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
  if (statOf(git)?.isDirectory()) return git;
  const [, elsewhere] = /^gitdir: (.+)$/.exec(lineOf(git) ?? "") ?? [];
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

/** No list of branches is longer. A repository may be anybody's, and what is no file has no end. */
const MOST_BYTES = 64 << 20;

function textOf(file: string): string | undefined {
  const found = statOf(file);
  if (!found?.isFile() || found.size > MOST_BYTES) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
