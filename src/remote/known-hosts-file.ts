import type { Stats } from "node:fs";
import { type FileHandle, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KnownHostsEntry, parseKnownHosts, parsePublicKeys } from "./known-hosts.ts";

const LOCK_WAIT_MS = 10_000;
/** A lock this old was left behind by a process that died: an append takes milliseconds. */
const LOCK_STALE_MS = 30_000;

/** All entries of several files. A file that is not there is empty; one that cannot be read throws. */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHostsEntry[]> {
  const lists = await Promise.all(
    files.map(async (file) => {
      try {
        return parsed(await readFile(file, "utf8"), file);
      } catch (error) {
        if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return [];
        throw error;
      }
    }),
  );
  return lists.flat();
}

/** Hundreds of hosts read the same file: its text is taken apart once for as long as it stays the same. */
const lastParsed = new Map<string, { readonly text: string; readonly entries: KnownHostsEntry[] }>();

function parsed(text: string, file: string): KnownHostsEntry[] {
  const last = lastParsed.get(file);
  if (last?.text === text) return last.entries;
  const entries = parseKnownHosts(text, file);
  lastParsed.set(file, { text, entries });
  return entries;
}

/**
 * Keys that RevokedHostKeys files list, one public key a line, as entries about every host. Throws when a file cannot
 * be read, is a binary list (KRL), or has a line that is no key: a revoked key must not pass because nobody could look.
 */
export async function readRevokedKeys(files: readonly string[]): Promise<KnownHostsEntry[]> {
  const lists = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, "latin1");
      if (text.startsWith("SSHKRL\n"))
        throw new Error(
          `${file} is a binary list of revoked keys, which meshctl cannot read: list public keys`,
        );
      return parsePublicKeys(text, file).map(
        (key): KnownHostsEntry => ({ ...key, file, marker: "revoked", names: "*" }),
      );
    }),
  );
  return lists.flat();
}

const inProcess = new Map<string, Promise<void>>();

/**
 * Appends the line that `decide` returns, if any, while no other meshctl writes to the file; `decide` sees nothing
 * older than the lock. Throws what the file system throws.
 */
export async function appendKnownHost(
  file: string,
  decide: () => Promise<string | undefined>,
): Promise<void> {
  const before = inProcess.get(file) ?? Promise.resolve();
  const mine = before.catch(() => {}).then(() => appendLocked(file, decide));
  inProcess.set(
    file,
    mine.catch(() => {}),
  );
  await mine;
}

async function appendLocked(file: string, decide: () => Promise<string | undefined>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const lock = `${file}.meshctl-lock`;
  const release = file === "/dev/null" ? undefined : await takeLock(lock);
  try {
    const line = await decide();
    if (line === undefined) return;
    const handle = await open(file, "a+", 0o600);
    try {
      // One write with O_APPEND: ssh itself may be adding a line at the same moment.
      await handle.write(`${(await endsInMidLine(handle)) ? "\n" : ""}${line}\n`);
    } finally {
      await handle.close();
    }
  } finally {
    await release?.();
  }
}

/** Resolves with the function that gives the lock back. */
async function takeLock(lock: string): Promise<() => Promise<void>> {
  const deadlineMs = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const mine = await create(lock);
    if (mine !== undefined) {
      return async () => {
        // Held for so long that another took it for left behind, it is the other's.
        const stats = await stat(lock).catch(() => undefined);
        if (stats !== undefined && identity(stats) === mine) await unlink(lock).catch(() => {});
      };
    }
    if (await isStale(lock)) await clearAway(lock);
    if (performance.now() > deadlineMs)
      throw new Error(`${lock} is held by another meshctl; remove ${lock}* if none is running`);
    await sleep(20 + Math.random() * 40);
  }
}

/** Makes the file and resolves with its identity; with undefined when it is there already. */
async function create(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, "wx", 0o600);
    try {
      return identity(await handle.stat());
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    return undefined;
  }
}

/** Tells a file from another one that took its place, also where that got the same inode. */
function identity({ ino, ctimeMs }: Stats): string {
  return `${ino} ${ctimeMs}`;
}

async function isStale(lock: string): Promise<boolean> {
  const stats = await stat(lock).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > LOCK_STALE_MS;
}

/**
 * Removes a lock that was left behind. One at a time, and looked at once more: of two that saw the old lock the second
 * would remove what the first has taken since. Does nothing where another is at it.
 */
async function clearAway(lock: string): Promise<void> {
  const clearing = `${lock}.clearing`;
  if ((await create(clearing)) === undefined) return;
  try {
    if (await isStale(lock)) await unlink(lock).catch(() => {});
  } finally {
    await unlink(clearing).catch(() => {});
  }
}

async function endsInMidLine(handle: FileHandle): Promise<boolean> {
  const stats = await handle.stat();
  if (!stats.isFile() || stats.size === 0) return false;
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, stats.size - 1);
  return last[0] !== 0x0a;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
