import { Secret } from "../secret.ts";

/** Flags that other tools take a secret by. */
const FLAG = /^--[\w-]*(?:pass|secret|token)[\w-]*(?:=(.*))?$/is;
/** A shorter one would be masked in half of all words. */
const SHORTEST = 4;

/**
 * Masks from now on what is typed behind flags that other tools take a secret by. No flag of meshctl's does: what is said of
 * one that it does not know must not repeat the secret.
 */
export function maskTypedSecrets(argv: readonly string[]): void {
  for (const [at, word] of argv.entries()) {
    if (word === "--") return;
    const flag = FLAG.exec(word);
    if (flag === null) continue;
    const value = flag[1] ?? argv[at + 1] ?? "";
    if (value.length >= SHORTEST && !value.startsWith("-")) new Secret(value);
  }
}
