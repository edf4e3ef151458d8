import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Channel } from "../line.ts";

/** The exit code of ssh itself; a program on the host may have the same. */
const SSH_FAILED = 255;

/** An ssh process that runs something over its master connection. */
export class ProcessChannel implements Channel {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #isLost: () => Promise<boolean>;

  /** `isLost`: whether the master connection is gone, so that the exit code is ssh's own and tells nothing. */
  constructor(child: ChildProcessWithoutNullStreams, isLost: () => Promise<boolean>) {
    this.#child = child;
    this.#isLost = isLost;
    // A process that ended takes no more.
    child.stdin.on("error", () => {});
  }

  get stderr(): Channel["stderr"] {
    return this.#child.stderr;
  }

  on(event: "data" | "error" | "close", listener: (...values: never[]) => void): this {
    if (event === "data") this.#child.stdout.on("data", listener as (chunk: Buffer) => void);
    else if (event === "error") this.#child.on("error", listener as (error: Error) => void);
    else {
      const closed = listener as (code?: number) => void;
      this.#child.on("close", (code) => {
        if (code !== null && code !== SSH_FAILED) closed(code);
        else void this.#isLost().then((isLost) => closed(isLost ? undefined : (code ?? undefined)));
      });
    }
    return this;
  }

  once(event: "close", listener: () => void): this {
    this.#child.once(event, listener);
    return this;
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
  }
}
