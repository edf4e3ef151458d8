const MASK = "••••••";
const known = new Set<string>();

/**
 * A value that must never be seen: every way of turning it into text prints a mask.
 * Only `reveal()` gives the value, and only what sends it to a host or a socket calls that.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    if (value.length > 0) known.add(value);
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return MASK;
  }
}

/** Text with every secret that this process has seen replaced by a mask. The last thing before any sink. */
export function maskSecrets(text: string): string {
  let masked = text;
  for (const value of known) masked = masked.replaceAll(value, MASK);
  return masked;
}

/** File or standard-input content in which secrets stay apart from plain text. */
export type Content = readonly (string | Secret)[];

/** The real text of a content, for sending to a host only. */
export function revealContent(content: Content): string {
  return content.map((part) => (part instanceof Secret ? part.reveal() : part)).join("");
}

/** The text of a content with its secrets masked, for diffs and logs. */
export function showContent(content: Content): string {
  return content.map(String).join("");
}
