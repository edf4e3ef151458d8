/** What is kept of the junk that start-up files print before a script begins. */
const PRELUDE_BYTES = 64 * 1024;

/**
 * Takes one output stream of root.sh apart: what came before the script, the script's own output, and its end.
 * The marks carry a random nonce, so neither start-up files nor the script's output can be taken for them.
 */
export class Frame {
  readonly #begin: Buffer;
  readonly #end: Buffer;
  #prelude: Buffer = Buffer.alloc(0);
  /** The last bytes seen so far, where they may be the start of the end mark. */
  #tail: Buffer = Buffer.alloc(0);
  readonly #payload: Buffer[] = [];
  #payloadBytes = 0;
  #began = false;
  #exitCode: number | undefined;

  constructor(nonce: string) {
    this.#begin = Buffer.from(`${nonce} BEGIN\n`);
    this.#end = Buffer.from(`${nonce} END `);
  }

  get began(): boolean {
    return this.#began;
  }

  /** Undefined until the end mark has come. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** What came before the script began; the last 64 KiB of it. */
  get prelude(): string {
    return this.#prelude.toString();
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** True as soon as one byte of the script's own output, or its end, has come. */
  get spoke(): boolean {
    return this.#payloadBytes > 0 || this.#tail.length > 0 || this.#exitCode !== undefined;
  }

  /** The script's own output so far; all of it once the exit code is known. */
  payload(): Buffer {
    return Buffer.concat(this.#payload);
  }

  push(chunk: Buffer): void {
    // What a child left in the background prints after the script has ended is nobody's.
    if (this.#exitCode !== undefined) return;
    if (this.#began) {
      this.#pushPayload(chunk);
      return;
    }
    const seen = Buffer.concat([this.#prelude, chunk]);
    const at = seen.indexOf(this.#begin);
    if (at === -1) {
      this.#prelude = seen.subarray(Math.max(0, seen.length - PRELUDE_BYTES));
      return;
    }
    this.#prelude = seen.subarray(0, at);
    this.#began = true;
    const rest = seen.subarray(at + this.#begin.length);
    if (rest.length > 0) this.#pushPayload(rest);
  }

  #pushPayload(chunk: Buffer): void {
    const seen = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const at = seen.indexOf(this.#end);
    if (at === -1) {
      const certain = seen.length - beginningAtEnd(seen, this.#end);
      this.#keep(seen.subarray(0, certain));
      this.#tail = seen.subarray(certain);
      return;
    }
    this.#keep(seen.subarray(0, at));
    const code = /^(\d+)\n/.exec(
      seen.subarray(at + this.#end.length, at + this.#end.length + 8).toString("latin1"),
    );
    if (code === null) {
      this.#tail = seen.subarray(at);
      return;
    }
    this.#tail = Buffer.alloc(0);
    this.#exitCode = Number(code[1]);
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#payload.push(bytes);
    this.#payloadBytes += bytes.length;
  }
}

/** How many of the last bytes are a beginning of `mark`. */
function beginningAtEnd(bytes: Buffer, mark: Buffer): number {
  for (let count = Math.min(bytes.length, mark.length - 1); count > 0; count -= 1) {
    if (bytes.subarray(bytes.length - count).equals(mark.subarray(0, count))) return count;
  }
  return 0;
}
