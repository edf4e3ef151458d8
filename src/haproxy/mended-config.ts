import type { ConfigDifference, HaproxyConfig } from "./config.ts";

/**
 * The file's text with every difference closed where it stands: for a diff of a file that somebody else will write,
 * in which only what is wrong by meaning shows.
 */
export function mendedHaproxyConfig(
  text: string,
  config: HaproxyConfig,
  differences: readonly ConfigDifference[],
): string {
  const lines: (readonly string[])[] = text.split("\n").map((line) => [line]);
  const missing: string[] = [];
  for (const { setting, want, found, line, section: at } of differences) {
    if (found !== undefined && line !== undefined) {
      const extra = config.sections.find((section) => section.line === line);
      for (const each of extra?.lines ?? []) lines[each.line - 1] = [];
      const old = lines[line - 1]!.join("\n");
      const indent = /^\s*/.exec(old)![0];
      const changed = old.includes(found) ? old.replace(found, () => want) : `${indent}${want}`;
      lines[line - 1] = want === "" ? [] : [changed];
      continue;
    }
    const section = config.sections.find((each) =>
      at === undefined
        ? setting.startsWith(each.name === "" ? `${each.kind} ` : `${each.kind} ${each.name} `)
        : each.line === at,
    );
    if (section === undefined) missing.push(want);
    else lines[section.line - 1] = [...lines[section.line - 1]!, `    ${want}`];
  }
  return [...lines.flat(), ...missing].join("\n");
}
