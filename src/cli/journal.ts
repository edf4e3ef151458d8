import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import type { RunEvent } from "../engine/events.ts";
import { isRunName } from "../engine/run-name.ts";
import { localUser } from "../local-user.ts";
import { eventLine, ndjsonReporter } from "./report/ndjson.ts";

/** Of older runs nothing is kept. */
const MOST_RUNS = 100;
const KEPT_BACK_LINES = 200;
const ENDING = ".ndjson";

/** Where runs are written down (XDG base directory specification). */
export function journalDirectory(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "meshctl", "runs");
}

/** What a run was asked for. */
export interface Asked {
  readonly command: string;
  /** As typed, without what only paints. */
  readonly arguments: readonly string[];
  readonly files: readonly string[];
}

/**
 * Writes a run down, event by event, for this user alone: who ran what with which files, and what came of it. No content
 * of any file is in it. A journal that cannot be written ends no run: `warn` is told once.
 */
export class Journal {
  readonly see: (event: RunEvent) => void;
  readonly #warn: (message: string) => void;
  #file: number | undefined;
  #lines: string[] = [];

  constructor(run: string, asked: Asked, warn: (message: string) => void) {
    this.#warn = warn;
    this.#try(() => {
      const directory = journalDirectory();
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#file = openSync(join(directory, `${run}${ENDING}`), "wx", 0o600);
      prune(directory);
    });
    const files = asked.files.map((path) => ({ path, sha256: digestOf(path) }));
    this.#write(
      eventLine(run, {
        event: "asked",
        command: asked.command,
        arguments: asked.arguments,
        user: localUser().name,
        on: hostname(),
        files,
      }),
    );
    const toLine = ndjsonReporter(run, (line) => this.#write(line), { noDiff: true });
    this.see = (event) => {
      toLine(event);
      // What a change did must be known also of a run that is killed.
      if (event.event !== "evidence") this.#flush();
    };
  }

  end(): void {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= KEPT_BACK_LINES) this.#flush();
  }

  #flush(): void {
    const text = this.#lines.join("");
    this.#lines = [];
    if (this.#file !== undefined && text !== "") this.#try(() => writeSync(this.#file!, text));
  }

  #try(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      this.#file = undefined;
      this.#warn(`This run is not written down: ${(error as Error).message}`);
    }
  }
}

function prune(directory: string): void {
  const old = namesIn(directory).slice(0, -MOST_RUNS);
  for (const name of old) rmSync(join(directory, `${name}${ENDING}`), { force: true });
}

function digestOf(path: string): string | undefined {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch {
    // What is read from a pipe is gone by now.
    return undefined;
  }
}

/** Names of the runs that are written down, oldest first. */
export function writtenRuns(): readonly string[] {
  return namesIn(journalDirectory());
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length))
      .filter(isRunName)
      .sort();
  } catch {
    return [];
  }
}

export type WrittenEvent = { readonly event: string; readonly ts: string } & Readonly<
  Record<string, unknown>
>;

/** Events of a run, in order; undefined when nothing is written of it. A line that was cut off is left out. */
export function writtenEvents(run: string): readonly WrittenEvent[] | undefined {
  let text: string;
  try {
    text = readFileSync(join(journalDirectory(), `${run}${ENDING}`), "utf8");
  } catch {
    return undefined;
  }
  return text.split("\n").flatMap((line): WrittenEvent[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
