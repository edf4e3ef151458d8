import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import type { RunEvent } from "../engine/events.ts";
import { isRunName } from "../engine/run-name.ts";
import { localUser } from "../local-user.ts";
import { commitAround } from "./git-commit.ts";
import { HeldLines } from "./report/held-lines.ts";
import { eventLine, ndjsonReporter } from "./report/ndjson.ts";

/** Of older runs nothing is kept. */
const MOST_RUNS = 100;
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
  #also: ((lines: string) => void) | undefined;
  readonly #lines = new HeldLines((text) => this.#write(text));
  #file: number | undefined;

  /** `also` is told every line too; it throws as `fs` does. */
  constructor(
    run: string,
    asked: Asked,
    warn: (message: string) => void,
    also?: ((lines: string) => void) | undefined,
  ) {
    this.#warn = warn;
    this.#also = also;
    this.#try(() => {
      const directory = journalDirectory();
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#file = openSync(join(directory, `${run}${ENDING}`), "wx", 0o600);
      prune(directory);
    });
    const files = asked.files.map((path) => ({ path, sha256: digestOf(path), commit: commitAround(path) }));
    this.#lines.add(
      eventLine(run, {
        event: "asked",
        command: asked.command,
        arguments: asked.arguments,
        user: localUser().name,
        on: hostname(),
        files,
      }),
    );
    const toLine = ndjsonReporter(run, this.#lines.add, { noDiff: true });
    this.see = (event) => {
      toLine(event);
      // What a change did must be known also of a run that is killed.
      if (event.event !== "evidence") this.#lines.flush();
    };
  }

  end(): void {
    this.#lines.flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(text: string): void {
    if (this.#file !== undefined) this.#try(() => writeSync(this.#file!, text));
    try {
      this.#also?.(text);
    } catch (error) {
      this.#also = undefined;
      this.#warn(`--log-file: ${(error as Error).message}`);
    }
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

/** A change of a run on a host. */
interface Made {
  readonly step: string;
  readonly change: string;
  readonly put_back?: boolean;
}

/** How a run ended for a host, as its summary has it. */
export interface WrittenOutcome {
  readonly host: string;
  readonly outcome: string;
  readonly because?: string;
  readonly changed: readonly Made[];
  readonly unproven: readonly Made[];
}

/** What a run was asked for, and how it ended; `summary` is undefined of one that lives or was killed. */
export interface WrittenRun {
  readonly asked: WrittenEvent;
  readonly summary: WrittenEvent | undefined;
  readonly outcomes: readonly WrittenOutcome[];
}

/** Whether a run changed a host, or may have. */
export function hasChanged({ changed, unproven }: WrittenOutcome): boolean {
  return changed.length + unproven.length > 0;
}

/** Beginning and end of a run, however much stands between; undefined when nothing is written of it. */
export function writtenRun(run: string): WrittenRun | undefined {
  const lines = writtenLines(run);
  const [asked] = eventsOf(lines?.slice(0, 1) ?? []);
  if (asked?.event !== "asked") return undefined;
  const [last] = eventsOf(lines!.slice(-1));
  const summary = last?.event === "summary" ? last : undefined;
  return { asked, summary, outcomes: (summary?.hosts ?? []) as readonly WrittenOutcome[] };
}

/** Events of a run, in order; undefined when nothing is written of it. */
export function writtenEvents(run: string): readonly WrittenEvent[] | undefined {
  const lines = writtenLines(run);
  return lines && eventsOf(lines);
}

function writtenLines(run: string): readonly string[] | undefined {
  try {
    return readFileSync(join(journalDirectory(), `${run}${ENDING}`), "utf8")
      .trimEnd()
      .split("\n");
  } catch {
    return undefined;
  }
}

/** A line that was cut off is left out. */
function eventsOf(lines: readonly string[]): readonly WrittenEvent[] {
  return lines.flatMap((line): WrittenEvent[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
