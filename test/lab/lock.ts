import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs `work` while no other process holds the same lock file.
 * flock(1) holds it in a process of its own that ends with our end of its stdin, so a crash frees the lock.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // A session of its own: ^C must not free the lock while the work is being undone.
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", "echo held; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const waiting = setTimeout(() => onWait?.(), 500);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once("error", reject);
      holder.once("close", (code) => reject(new Error(`Cannot lock ${file}: flock ended with ${code}.`)));
      holder.stdout.once("data", () => resolve());
    });
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
  }
}
