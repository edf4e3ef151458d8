import { readFileSync } from "node:fs";

const texts = new Map<string, string>();

/** A script of ours, read once: to be sent to a host, or to stay there. */
export function scriptText(file: URL): string {
  const known = texts.get(file.href);
  if (known !== undefined) return known;
  const text = readFileSync(file, "utf8");
  texts.set(file.href, text);
  return text;
}
