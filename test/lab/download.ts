import { EventEmitter, once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";

const readBytes = 256 * 1024;

/** A file on its way to disk that any number of readers follow as it grows. */
export class Download {
  readonly bytes: number;
  /** Settles when the file is in place; rejects when the source broke off. */
  readonly finished: Promise<void>;
  readonly #handle: FileHandle;
  readonly #progress = new EventEmitter().setMaxListeners(0);
  #written = 0;
  #readers = 0;
  #state: "running" | "complete" | "broken" = "running";

  constructor(
    source: Readable,
    bytes: number,
    handle: FileHandle,
    settle: (complete: boolean) => Promise<void>,
  ) {
    this.bytes = bytes;
    this.#handle = handle;
    this.finished = this.#fill(source, settle);
    // Readers report a broken download; this promise may have no one waiting.
    this.finished.catch(() => {});
  }

  async #fill(source: Readable, settle: (complete: boolean) => Promise<void>): Promise<void> {
    try {
      for await (const chunk of source) {
        const { bytesWritten } = await this.#handle.write(chunk);
        this.#written += bytesWritten;
        this.#progress.emit("change");
      }
      if (this.#written !== this.bytes) throw new Error("the archive broke off");
      await settle(true);
      this.#state = "complete";
    } catch (error) {
      this.#state = "broken";
      await settle(false);
      throw error;
    } finally {
      this.#progress.emit("change");
      await this.#closeWhenUnused();
    }
  }

  async #closeWhenUnused(): Promise<void> {
    if (this.#state !== "running" && this.#readers === 0) await this.#handle.close().catch(() => {});
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Hands out the whole file from its start, waiting where it is not there yet. Only while it is running. */
  async read(consume: (chunks: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
    this.#readers++;
    try {
      await consume(this.#chunks());
    } finally {
      this.#readers--;
      await this.#closeWhenUnused();
    }
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    let position = 0;
    while (position < this.bytes) {
      if (position < this.#written) {
        const buffer = Buffer.allocUnsafe(Math.min(readBytes, this.#written - position));
        const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, position);
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      } else if (this.#state === "broken") {
        throw new Error("the archive broke off");
      } else {
        await once(this.#progress, "change");
      }
    }
  }
}
