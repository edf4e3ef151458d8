import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { commitAround } from "../../src/cli/git-commit.ts";

const HASH = "0123456789abcdef0123456789abcdef01234567";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meshctl-git-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

it.each([
  ["of a branch", { ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": `${HASH}\n` }],
  [
    "of a branch among packed ones",
    { ".git/HEAD": "ref: refs/heads/a\n", ".git/packed-refs": `# pack\n${HASH} refs/heads/a\n` },
  ],
  ["without a branch", { ".git/HEAD": `${HASH}\n` }],
  [
    "of a work tree",
    {
      ".git": "gitdir: main/.git/worktrees/w\n",
      "main/.git/worktrees/w/HEAD": "ref: refs/heads/b\n",
      "main/.git/worktrees/w/commondir": "../..\n",
      "main/.git/refs/heads/b": `${HASH}\n`,
    },
  ],
])("the commit %s is the one around a file", (_, files) => {
  write({ ...files, "inventories/site.yaml": "" });
  expect(commitAround(join(folder, "inventories/site.yaml"))).toBe(HASH);
});

it.each([
  ["no commit yet", { ".git/HEAD": "ref: refs/heads/main\n" }],
  ["a repository that is none", { ".git/HEAD": "../../etc/passwd\n" }],
  ["no repository", {}],
])("a file in %s has none", (_, files) => {
  write({ ...files, "site.yaml": "" });
  expect(commitAround(join(folder, "site.yaml"))).toBeUndefined();
});

it.each([
  ["leads to itself", ".git", ".git"],
  ["has no end", ".git/HEAD", "/dev/zero"],
])("a repository that %s is none", (_, link, target) => {
  write({ "site.yaml": "", ...(link === ".git" ? {} : { ".git/config": "" }) });
  symlinkSync(target, join(folder, link));
  expect(commitAround(join(folder, "site.yaml"))).toBeUndefined();
});
