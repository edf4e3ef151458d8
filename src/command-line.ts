import type { HostName } from "./contract/inventory-view.ts";
import { shellQuote } from "./shell-quote.ts";

declare const made: unique symbol;

/**
 * A command line for a person to type or paste. It is made here alone, word by word: what a host said can be no more
 * of it than one quoted word.
 */
export type CommandLine = string & { readonly [made]: true };

/** What no shell reads as anything but itself, wherever it stands. zsh looks for a program behind a leading "=". */
const PLAIN = /^(?:[\w@%+:,./-][\w@%+=:,./-]*|=)$/;

/** One word of a command line, quoted unless it stands for itself. NUL and half characters, which no shell takes, become "\ufffd". */
export function shellWord(value: string): string {
  return PLAIN.test(value) ? value : shellQuote(value.replace(/[\0\p{Surrogate}]/gu, "\ufffd"));
}

export function commandLine(...words: readonly [string, ...string[]]): CommandLine {
  return words.map(shellWord).join(" ") as CommandLine;
}

/** The same on a host of the inventory, by ssh. ssh gives its words to a shell there, which reads them once more. */
export function commandOn(host: HostName, ...words: readonly [string, ...string[]]): CommandLine {
  const remote = words.map(shellWord);
  return remote.every((word, index) => word === words[index])
    ? commandLine("ssh", host, ...words)
    : commandLine("ssh", host, remote.join(" "));
}

/** One of our own commands with more flags behind its verb; any other command line stays as it is. */
export function withFlags(line: CommandLine, flags: readonly string[]): CommandLine {
  const [program, verb, ...rest] = line.split(" ");
  if (program !== "meshctl" || flags.length === 0) return line;
  return [program, verb, ...flags.map(shellWord), ...rest].join(" ") as CommandLine;
}
