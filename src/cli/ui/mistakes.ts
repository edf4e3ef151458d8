import type { ChalkInstance } from "chalk";

/**
 * Mistakes of the files as InvalidFiles words them, in colours: where, the line itself, and how to mend it. `broken` fits
 * all but the lines of the files into a window.
 */
export function mistakesView(
  text: string,
  paint: ChalkInstance,
  broken: (line: string) => string = (line) => line,
): string {
  return text
    .split("\n")
    .map((line) => {
      if (/^> +\d+ \|/.test(line)) return paint.bold(line);
      if (/^ +\| +\^$/.test(line)) return paint.red(line);
      if (/^ +\d+ \|/.test(line)) return paint.dim(line);
      if (line.startsWith("  hint: ")) return paint.cyan(broken(line));
      const [, place = "", message = line] = /^(\S+:\d+:\d+(?: \S+)?:)( .*)$/.exec(line) ?? [];
      return broken(place === "" ? line : `${paint.bold.red(place)}${message}`);
    })
    .join("\n");
}
