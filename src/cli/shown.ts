import { maskSecrets } from "../secret.ts";
import { oneLine, printable } from "../terminal-text.ts";

/** Text as a person may see it: secrets masked, and nothing left in it that steers a terminal. Its lines stay. */
export function shownText(text: string): string {
  return printable(maskSecrets(text));
}

/** What is more than one line by its nature. Each of them is shown under an indent that none of its lines can leave. */
const WITH_LINES: ReadonlySet<string> = new Set(["output", "content", "was"]);

/**
 * Plain data with every text in it as a person may see it: for all that is shown, before any colour is put on. A line
 * break stays in files, diffs and outputs; anywhere else it would let a host write lines of ours.
 */
export function shownData<T>(data: T): T {
  return shown(data, oneShownLine) as T;
}

function oneShownLine(text: string): string {
  // Before the lines are joined: a secret may have several.
  const masked = maskSecrets(text);
  return PLAIN.test(masked) ? masked : printable(oneLine(masked));
}

/** What there is nothing to make visible in: most texts. */
const PLAIN = /^[\t -~]*$/;

type Show = (text: string) => string;

/** Plain data is copied; what has a class of its own (secrets, URLs) shows itself as it should. */
function shown(value: unknown, show: Show): unknown {
  if (typeof value === "string") return show(value);
  if (Array.isArray(value)) return value.map((each) => shown(each, show));
  if (value instanceof Map)
    return new Map([...value].map(([key, each]) => [shown(key, show), shown(each, show)]));
  if (value instanceof Error) return Object.create(value, { message: { value: show(value.message) } });
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const isDiff = "want" in value && "path" in value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const hasLines = WITH_LINES.has(key) || (isDiff && key === "want");
      return [key, shown(each, hasLines ? shownText : show)];
    }),
  );
}
