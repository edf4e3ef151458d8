/**
 * Lines below what scrolls, drawn again and again in the same place. Whatever else is written to the terminal is
 * written through `above`. A window that becomes narrower wraps what stood there, and some terminals say so late: a few
 * old lines may stay above, but nothing that has scrolled is ever taken away.
 */
// log-update would be the library for it. Its last release needs Node 22.
export class LiveBlock {
  readonly #stream: NodeJS.WriteStream;
  /** How many lines stand there; the cursor is at the beginning of the line below. */
  #count = 0;
  #isLive = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Lines that are narrower than the window. */
  draw(lines: readonly string[]): void {
    // Behind ^Z and fg the shell's words are below the block.
    if (!this.#isLive) process.on("SIGCONT", this.#forget);
    this.#isLive = true;
    // Nothing wraps, also where a character takes two columns.
    const drawn = lines.map((line) => `${line}\u001b[K\r\n`).join("");
    this.#stream.write(`${this.#up()}\u001b[?7l${drawn}\u001b[?7h\u001b[J`);
    this.#count = lines.length;
  }

  erase(): void {
    if (this.#count > 0) this.#stream.write(`${this.#up()}\u001b[J`);
    this.#count = 0;
  }

  /** Does what writes to the terminal while the block is away. */
  above<T>(write: () => T): T {
    this.erase();
    return write();
  }

  end(): void {
    this.erase();
    process.off("SIGCONT", this.#forget);
    this.#isLive = false;
  }

  readonly #forget = (): void => {
    this.#count = 0;
  };

  #up(): string {
    return this.#count === 0 ? "\r" : `\r\u001b[${this.#count}A`;
  }
}
