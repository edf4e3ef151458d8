import { GrowingBytes } from "./growing-bytes.ts";

/** Start-up files that print more than this before a script begins do not end. */
const MOST_JUNK_BYTES = 16 * 1024 * 1024;
/** Behind the end mark stand an exit code and a line break. */
const MOST_CODE_BYTES = 4;
/** Longer than any mark of login.sh. */
const OVERLAP_BYTES = 127;
/** What is kept of the junk that start-up files print before a script begins. */
const PRELUDE_BYTES = 64 * 1024;

/**
 * Takes one output stream of root.sh apart: what came before the script, the script's own output, and its end.
 * The marks carry a random nonce, so neither start-up files nor the script's output can be taken for them. The host
 * itself knows the nonce and may lie: no byte is looked at more often than a mark is long, and all that is kept is counted.
 */
export class Frame {
  readonly #begin: Buffer;
  readonly #end: Buffer;
  readonly #prelude = new GrowingBytes();
  #junkBytes = 0;
  #recent = { before: 0, text: "" };
  /** The last bytes seen so far, where they may be the start of the end mark. */
  #tail: Buffer = Buffer.alloc(0);
  readonly #payload = new GrowingBytes();
  #began = false;
  #exitCode: number | undefined;
  #isBroken = false;

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

  /** True once the stream cannot be root.sh's: endless junk before the script, or an end mark without an exit code. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** What came before the script began; the last 64 KiB of it. */
  get prelude(): string {
    return this.#prelude.last(PRELUDE_BYTES).toString();
  }

  /** The last piece of what came before the script, with enough before it to hold a mark that began there. */
  get recent(): string {
    return this.#recent.text;
  }

  /** How many of these marks came to an end in the last piece of what came before the script. */
  sightings(mark: string): number {
    const { before, text } = this.#recent;
    return text.slice(Math.max(0, before - mark.length + 1)).split(mark).length - 1;
  }

  get payloadBytes(): number {
    return this.#payload.length;
  }

  /** True as soon as one byte of the script's own output, or its end, has come. */
  get spoke(): boolean {
    return this.#payload.length > 0 || this.#tail.length > 0 || this.#exitCode !== undefined;
  }

  /** The script's own output so far; all of it once the exit code is known. */
  payload(): Buffer {
    return this.#payload.all();
  }

  /** As `payload`, and forgets it: for output that is taken while it comes. */
  take(): Buffer {
    const taken = Buffer.from(this.payload());
    this.#payload.cutTo(0);
    return taken;
  }

  push(chunk: Buffer): void {
    // What a child left in the background prints after the script has ended is nobody's.
    if (this.#exitCode !== undefined || this.#isBroken) return;
    if (this.#began) {
      this.#pushPayload(chunk);
      return;
    }
    const overlap = this.#prelude.last(this.#begin.length - 1).length;
    const before = this.#prelude.last(OVERLAP_BYTES).toString("latin1");
    this.#recent = { before: before.length, text: before + chunk.toString("latin1") };
    const seen = Buffer.concat([this.#prelude.last(overlap), chunk]);
    const at = seen.indexOf(this.#begin);
    if (at === -1) {
      this.#prelude.add(chunk);
      if (this.#prelude.length > 2 * PRELUDE_BYTES) this.#prelude.keepLast(PRELUDE_BYTES);
      this.#junkBytes += chunk.length;
      this.#isBroken = this.#junkBytes > MOST_JUNK_BYTES;
      return;
    }
    this.#prelude.cutTo(this.#prelude.length - overlap + at);
    if (at > overlap) this.#prelude.add(seen.subarray(overlap, at));
    this.#began = true;
    const rest = seen.subarray(at + this.#begin.length);
    if (rest.length > 0) this.#pushPayload(rest);
  }

  #pushPayload(chunk: Buffer): void {
    const seen = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const at = seen.indexOf(this.#end);
    if (at === -1) {
      const certain = seen.length - beginningAtEnd(seen, this.#end);
      this.#payload.add(seen.subarray(0, certain));
      this.#tail = Buffer.from(seen.subarray(certain));
      return;
    }
    this.#payload.add(seen.subarray(0, at));
    const behind = seen.subarray(at + this.#end.length).subarray(0, MOST_CODE_BYTES);
    const code = /^(\d{1,3})(\n?)/.exec(behind.toString("latin1"));
    this.#tail = Buffer.alloc(0);
    if (code?.[2] === "\n") this.#exitCode = Number(code[1]);
    else if (behind.length === (code?.[0].length ?? 0)) this.#tail = Buffer.from(seen.subarray(at));
    else this.#isBroken = true;
  }
}

/** How many of the last bytes are a beginning of `mark`. */
function beginningAtEnd(bytes: Buffer, mark: Buffer): number {
  for (let count = Math.min(bytes.length, mark.length - 1); count > 0; count -= 1) {
    if (bytes.subarray(bytes.length - count).equals(mark.subarray(0, count))) return count;
  }
  return 0;
}
