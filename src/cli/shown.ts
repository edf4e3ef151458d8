import { maskSecrets } from "../secret.ts";
import { printable } from "../terminal-text.ts";

/** Text as a person may see it: secrets masked, and nothing left in it that steers a terminal. */
export function shownText(text: string): string {
  return printable(maskSecrets(text));
}

/** Plain data with every text in it as a person may see it. Colours are put on later: what it holds came from a host. */
export function shownData<T>(data: T): T {
  return shown(data) as T;
}

/** Plain data is copied; what has a class of its own (secrets, URLs) shows itself as it should. */
function shown(value: unknown): unknown {
  if (typeof value === "string") return shownText(value);
  if (Array.isArray(value)) return value.map(shown);
  if (value instanceof Error) return Object.create(value, { message: { value: shownText(value.message) } });
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each)]));
}
