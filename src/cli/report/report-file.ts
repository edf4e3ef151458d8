import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { ConfigurationError } from "../../errors.ts";
import { fileError } from "../../inventory/file-error.ts";

/** The folder is what is missing where a new file cannot be begun. */
export function writeError(error: unknown): string {
  const words = fileError(error);
  return words === "no such file" ? "no such folder: make it first" : words;
}

/** A file that a flag names, written beside it and put in place whole: whoever reads it sees the old one or the new. */
export class ReportFile {
  readonly #file: string;
  readonly #temporary: string;
  /** Open from the start: in a folder that others write to a name alone could be made theirs meanwhile. */
  #descriptor: number | undefined;

  /** Throws ConfigurationError when nothing can be written there: better now than after the run. */
  constructor(flag: string, file: string) {
    this.#file = file;
    this.#temporary = `${file}.${randomBytes(12).toString("hex")}.tmp`;
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw new ConfigurationError(`${flag} ${file}: is a folder, name a file in it`);
    try {
      this.#descriptor = this.#open();
    } catch (error) {
      throw new ConfigurationError(`${flag} ${file}: ${writeError(error)}`);
    }
  }

  /** May be called again: each time the file is replaced. Throws as `fs` does. */
  write(text: string): void {
    const descriptor = this.#descriptor ?? this.#open();
    this.#descriptor = descriptor;
    writeFileSync(descriptor, text);
    closeSync(descriptor);
    this.#descriptor = undefined;
    renameSync(this.#temporary, this.#file);
  }

  /** Removes what a run that broke off has left. */
  end(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    rmSync(this.#temporary, { force: true });
  }

  #open(): number {
    return openSync(this.#temporary, "wx", 0o644);
  }
}
