import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import type { HostName } from "../../contract/inventory-view.ts";
import { blaming } from "../blame.ts";
import type { Channel } from "../line.ts";

/** The exit code of ssh itself; a program on the host may have the same. */
const SSH_FAILED = 255;

/** An ssh process that runs something over its master connection. What it says before anybody listens is kept. */
export class ProcessChannel implements Channel {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #isLost: () => Promise<boolean>;
  readonly #stdout: PassThrough;
  readonly stderr: PassThrough;
  /** Its exit code; null when a signal ended it. */
  readonly #over: Promise<number | null>;

  /** `isLost`: whether the master connection is gone, so that the exit code is ssh's own and tells nothing. */
  constructor(host: HostName, child: ChildProcessWithoutNullStreams, isLost: () => Promise<boolean>) {
    this.#stdout = blaming(new PassThrough(), host);
    this.stderr = blaming(new PassThrough(), host);
    this.#child = child;
    this.#isLost = isLost;
    child.stdout.pipe(this.#stdout);
    child.stderr.pipe(this.stderr);
    this.#over = new Promise((resolve) => child.once("close", resolve));
    // A process that ended takes no more.
    child.stdin.on("error", () => {});
  }

  on(event: "data" | "error" | "close", listener: (...values: never[]) => void): this {
    if (event === "data") this.#stdout.on("data", listener as (chunk: Buffer) => void);
    else if (event === "error") this.#child.on("error", listener as (error: Error) => void);
    else void this.#tellEnd(listener as (code?: number) => void);
    return this;
  }

  once(_event: "close", listener: () => void): this {
    void this.#over.then(listener);
    return this;
  }

  async #tellEnd(closed: (code?: number) => void): Promise<void> {
    const code = await this.#over;
    await Promise.allSettled([finished(this.#stdout), finished(this.stderr)]);
    const isTold = code !== null && code !== SSH_FAILED;
    if (!isTold && (await this.#isLost())) closed(undefined);
    else closed(code ?? undefined);
  }

  write(bytes: string | Uint8Array, taken: () => void = () => {}): void {
    this.#child.stdin.write(bytes, () => taken());
  }

  end(): void {
    this.#child.stdin.end();
  }

  close(): void {
    this.#child.stdin.destroy();
    this.#child.kill();
    // Nobody may be there any more who reads it to its end.
    this.#stdout.resume();
    this.stderr.resume();
  }
}
