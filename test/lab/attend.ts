import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { isPackaged, repositoryRoot, stateDirectory } from "./paths.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

/** Our line to the attendant of a lab. When it breaks before `keep`, the attendant takes the lab down. */
export interface Attendance {
  readonly process: ProcessIdentity;
  /** Tells it that its address is there. Resolves when the proxy answers. */
  serve(): Promise<void>;
  /** The lab stays when this process ends. */
  keep(): void;
}

export function startAttendant(lab: string, address: string): Attendance {
  const logFile = join(stateDirectory(lab), "attendant.log");
  const log = openSync(logFile, "a");
  const child = spawn(
    process.execPath,
    isPackaged
      ? [join(import.meta.dirname, "attendant.mjs"), lab, address]
      : ["--import", "tsx", join(import.meta.dirname, "attendant.ts"), lab, address],
    // A session of its own, so that ^C reaches us and not it; the directory is where tsx is found.
    { detached: true, stdio: ["pipe", "pipe", log], cwd: repositoryRoot },
  );
  closeSync(log);
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error("The lab's attendant did not start.");
  const [words, answers] = [child.stdin as Writable, child.stdout as Readable];
  // It ends when the lab is taken down; nobody has to be told.
  words.on("error", () => {});
  child.unref();
  for (const stream of [words, answers]) (stream as unknown as { unref(): void }).unref();
  return {
    process: identity,
    serve: async () => {
      words.write("network\n");
      const ready = once(answers, "data");
      const ended = once(child, "exit").then(() => {
        throw new Error(`The lab's proxy did not start: ${readFileSync(logFile, "utf8").trim()}`);
      });
      const alive = setInterval(() => {}, 1_000);
      await Promise.race([ready, ended]).finally(() => clearInterval(alive));
      ended.catch(() => {});
      answers.destroy();
    },
    keep: () => words.end("keep\n"),
  };
}
