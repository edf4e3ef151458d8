import { readFileSync } from "node:fs";

const texts = new Map<string, string>();

/** The text of a script of this step, for those that stay on the hosts. */
export function shippedScript(name: string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(`./${name}`, import.meta.url), "utf8");
  texts.set(name, text);
  return text;
}
