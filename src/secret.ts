/** Stands in the place of a secret. */
export const MASK = "••••••";
const known = new Set<string>();
/** The longest first: one that begins with another would leave its rest behind. */
let longestFirst: readonly string[] = [];

/**
 * A value that must never be seen: every way of turning it into text prints a mask.
 * Only `reveal()` gives the value, and only what sends it to a host or a socket calls that.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    for (const plain of [value, ...proxyForms(value)]) for (const form of encodings(plain)) known.add(form);
    known.delete("");
    longestFirst = [...known].sort((a, b) => b.length - a.length);
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

/** Whether there is any secret to mask. */
export function hasSecrets(): boolean {
  return longestFirst.length > 0;
}

/** Text with every secret that this process has seen replaced by a mask. The last thing before any sink. */
export function maskSecrets(text: string): string {
  let masked = text;
  // Most texts are shorter than most secrets, and have none of the others.
  for (const value of longestFirst)
    if (masked.length >= value.length && masked.includes(value)) masked = masked.replaceAll(value, MASK);
  return masked;
}

/** A text as programs write it that print JSON, URLs, shell commands or HTTP headers. */
function encodings(text: string): readonly string[] {
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    // Text that is not Unicode has no such form, and reaches no host either.
    ...(/\p{Surrogate}/u.test(text) ? [] : [encodeURIComponent(text)]),
    text.replaceAll("'", "'\\''"),
    text.replace(/[^\w@%+=:,./-]/gu, "\\$&"),
    Buffer.from(text).toString("base64"),
  ];
}

/** The password within a URL, as written and decoded: programs print it without the rest, or send it as a header. */
function proxyForms(value: string): readonly string[] {
  if (!URL.canParse(value)) return [];
  const { username, password } = new URL(value);
  if (password === "") return [];
  try {
    const decoded = decodeURIComponent(password);
    return [password, decoded, `${decodeURIComponent(username)}:${decoded}`];
  } catch {
    return [password];
  }
}

/** File or standard-input content in which secrets stay apart from plain text. */
export type Content = readonly (string | Secret)[];

/** Whether a content must not be seen whole. */
export function holdsSecret(content: Content): boolean {
  return content.some((part) => part instanceof Secret);
}

/** The real text of a content, for sending to a host only. */
export function revealContent(content: Content): string {
  return content.map((part) => (part instanceof Secret ? part.reveal() : part)).join("");
}

/** The text of a content with its secrets masked, for diffs and logs. */
export function showContent(content: Content): string {
  return content.map(String).join("");
}
