/**
 * A page that is drawn again and again in the same place, on the terminal's second screen: what was there before
 * comes back at the end. Lines beyond the window are left out, the first are the ones that matter.
 */
export class LiveScreen {
  readonly #stream: NodeJS.WriteStream;
  #lines: readonly string[] = [];
  readonly #redraw = (): void => this.#draw();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.write("\u001b[?1049h\u001b[?25l");
    stream.on("resize", this.#redraw);
  }

  show(page: string): void {
    this.#lines = page.split("\n");
    this.#draw();
  }

  /** Gives the terminal back as it was. */
  end(): void {
    this.#stream.off("resize", this.#redraw);
    this.#stream.write("\u001b[?25h\u001b[?1049l");
  }

  #draw(): void {
    const rows = Math.max(3, this.#stream.rows ?? 24);
    const hidden = this.#lines.length - rows;
    const shown =
      hidden <= 0
        ? this.#lines
        : [
            ...this.#lines.slice(0, rows - 1),
            `… ${hidden + 1} more lines: a taller window shows them, or --limit`,
          ];
    // Each line is cleared behind its end and the rest below: nothing flickers.
    this.#stream.write(`\u001b[H${shown.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`);
  }
}
