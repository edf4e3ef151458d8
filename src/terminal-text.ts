import { maskForeignSecrets } from "./foreign-secrets.ts";

// Text that comes from a host or a program must not steer the terminal that shows it.

const TERMINAL_SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;
/** Control characters but line feed and tab; other line breaks; and what turns the direction of writing around. */
const STEERING = /[^\P{Cc}\n\t]|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The last words of a program's output, for an error message. What would steer the terminal is left out. */
export function lastLines(text: string, count = 5): string {
  // Progress that was drawn over: only its last state.
  const drawn = text.replace(/\r+$/gm, "").replace(/^.*\r/gm, "");
  const plain = drawn.replace(TERMINAL_SEQUENCES, "").replace(/[^\P{Cc}\n\t]+/gu, " ");
  return quotable(plain).trim().split("\n").slice(-count).join("\n");
}

/**
 * What a host or a program said, as a part of a sentence of ours. What marks a command that a person is told to type
 * is ours alone: a backtick becomes a quote, an arrow "->". Programs repeat lines of their files: secrets are masked.
 */
export function quotable(said: string): string {
  return maskForeignSecrets(said).replaceAll("`", "'").replaceAll("→", "->");
}

/** Text with its line breaks made visible: "↵". */
export function oneLine(text: string): string {
  return text.replace(/\r?\n|[\u0085\u2028\u2029]/g, "↵");
}

/** Text with every character that would steer a terminal made visible: ESC is shown as ␛. Lines and tabs stay. */
export function printable(text: string): string {
  return text.replace(STEERING, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : "\ufffd";
  });
}
