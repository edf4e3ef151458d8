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
    for (const form of [value, ...passwordForms(value)]) if (form.length > 0) known.add(form);
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
  // The longest first: one that begins with another would leave its rest behind.
  for (const value of [...known].sort((a, b) => b.length - a.length)) masked = masked.replaceAll(value, MASK);
  return masked;
}

/** The password within a URL, as written and decoded: programs print it without the rest. */
function passwordForms(value: string): readonly string[] {
  if (!URL.canParse(value)) return [];
  const { password } = new URL(value);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
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
