import { closeSync, openSync, writeSync } from "node:fs";
import { ConfigurationError } from "../../errors.ts";
import { writeError } from "./report-file.ts";

/** The events of a run as they come, for this user alone: the same lines that the run's own journal gets. */
export class LogFile {
  readonly #file: number;

  /** Replaces what was there. Throws ConfigurationError where nothing can be written. */
  constructor(path: string) {
    try {
      this.#file = openSync(path, "w", 0o600);
    } catch (error) {
      throw new ConfigurationError(`--log-file ${path}: ${writeError(error)}`);
    }
  }

  /** Throws as `fs` does. */
  write(text: string): void {
    writeSync(this.#file, text);
  }

  end(): void {
    closeSync(this.#file);
  }
}
