import { ConfigurationError } from "./errors.ts";

/**
 * One word of POSIX shell that stands for exactly this value, whatever it holds.
 * Throws ConfigurationError for what no shell word can carry: NUL, and text that is not Unicode.
 */
export function shellQuote(value: string): string {
  if (value.includes("\0")) {
    throw new ConfigurationError(`A value for a host holds a NUL character: ${JSON.stringify(value)}`);
  }
  // A lone surrogate would reach the host as U+FFFD: another value than the one that was written.
  if (/\p{Surrogate}/u.test(value)) {
    throw new ConfigurationError(`A value for a host is not valid Unicode: ${JSON.stringify(value)}`);
  }
  return `'${value.replaceAll("'", "'\\''")}'`;
}
