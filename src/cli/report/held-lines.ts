const MOST_LINES = 200;

/** Keeps lines back until there are some: a host has hundreds of rows, and each write is a call of the kernel's. */
export class HeldLines {
  readonly #write: (text: string) => void;
  #lines: string[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  readonly add = (line: string): void => {
    this.#lines.push(line);
    if (this.#lines.length >= MOST_LINES) this.flush();
  };

  flush(): void {
    const text = this.#lines.join("");
    this.#lines = [];
    if (text !== "") this.#write(text);
  }
}
