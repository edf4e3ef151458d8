import { scriptText } from "./script-text.ts";
import { shellQuote } from "./shell-quote.ts";

/**
 * Perl files one behind the other as one program, as a shell script that runs it with the script's own arguments and
 * standard input. Values of `environment` are in the text, and in no command line.
 */
export function perlScript(
  files: readonly URL[],
  environment: Readonly<Record<string, string>> = {},
): string {
  const program = files.map(scriptText).join("\n");
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${shellQuote(value)} `);
  return `main() {\n${variables.join("")}perl -e ${shellQuote(program)} -- "$@"\n}\nmain "$@"\n`;
}
