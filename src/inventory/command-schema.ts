import * as z from "zod";
import { shellWord } from "../command-line.ts";
import { parseDuration } from "../quantity-text.ts";

const COMMAND = "expected a command";
const WORDS = "expected a program and its arguments";

/** It is shown before it runs, and recorded in a line. */
const word = z.string({ error: COMMAND }).regex(/^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]*$/u, {
  error: "expected one line of text without control characters",
});

/** A command as text that the shell reads. */
export const shellText = word.refine((text) => text.trim() !== "", { error: COMMAND });

/** As text of the shell's, too, where it is a list: of a program and its arguments, in which the shell reads nothing. */
export const command = z.union([
  shellText,
  z
    .array(word)
    .refine(([program = ""]) => program.trim() !== "", { error: WORDS })
    .transform((words) => words.map(shellWord).join(" ")),
]);

const TIMEOUT = "expected a time with its unit, like 30s or 5m, from 1s to 1h";

/** From one second to an hour: what runs on a host has an end. */
export const commandTimeout = z.string({ error: TIMEOUT }).transform((text, context) => {
  const milliseconds = /[a-z]$/.test(text) ? parseDuration(text) : undefined;
  if (milliseconds !== undefined && milliseconds >= 1_000 && milliseconds <= 3_600_000) return milliseconds;
  context.addIssue({ code: "custom", message: TIMEOUT });
  return z.NEVER;
});
