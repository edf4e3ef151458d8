import type { HostKeyQuestion } from "../../remote/host-key.ts";
import { Secret } from "../../secret.ts";

/** Asks on the terminal whether to go ahead. */
export async function confirmChanges(): Promise<"yes" | "no" | "interrupted"> {
  const answer = await confirm("Make these changes?");
  if (answer === undefined) return "interrupted";
  return answer ? "yes" : "no";
}

/** Asks whether a host's key that no known_hosts file has is the host's. ^C counts as no. */
export async function askHostKey({ host, keyType, fingerprint, file }: HostKeyQuestion): Promise<boolean> {
  const message = `${host} shows an unknown key, ${keyType} ${fingerprint}. Is it the host's? (It is added to ${file}.)`;
  return (await confirm(message)) === true;
}

/** Asks for the passphrase of a key file; undefined on ^C. */
export function askPassphrase(file: string, isAgain: boolean): Promise<Secret | undefined> {
  return hidden(`${isAgain ? "That does not open it. " : ""}Passphrase of ${file}:`);
}

/** Asks for what sudo wants of a user; undefined on ^C. */
export function askSudoPassword(host: string, user: string): Promise<Secret | undefined> {
  return hidden(`Password of ${user} for sudo (${host} asks first, others get it only if that takes it):`);
}

export interface Choice<T> {
  readonly name: string;
  readonly value: T;
  readonly checked?: boolean;
}

/** What a person chooses of a list; undefined on ^C. */
export function choose<T>(message: string, choices: readonly Choice<T>[]): Promise<T | undefined> {
  return ask<T>({ type: "select", message, choices });
}

/** What a person ticks in a list; undefined on ^C. `problem` says what is wrong with a choice. */
export function tick<T>(
  message: string,
  choices: readonly Choice<T>[],
  problem: (chosen: readonly T[]) => string | undefined,
): Promise<readonly T[] | undefined> {
  const validate = (chosen: readonly { readonly value: T }[]) =>
    problem(chosen.map(({ value }) => value)) ?? true;
  return ask<readonly T[]>({ type: "checkbox", message, choices, pageSize: 12, loop: false, validate });
}

/** What a person types; undefined on ^C. `problem` says what is wrong with it. */
export function askText(
  message: string,
  usual: string,
  problem: (text: string) => string | undefined,
): Promise<string | undefined> {
  const validate = (text: string) => problem(text) ?? true;
  return ask<string>({ type: "input", message, ...(usual === "" ? {} : { default: usual }), validate });
}

/** Yes or no; undefined on ^C. */
export async function confirm(message: string, usual = false): Promise<boolean | undefined> {
  return ask<boolean>({ type: "confirm", message, default: usual });
}

async function hidden(message: string): Promise<Secret | undefined> {
  const answer = await ask<string>({ type: "password", message });
  return answer === undefined || answer === "" ? undefined : new Secret(answer);
}

/** The answer to a question as inquirer takes it; undefined on ^C. */
async function ask<T>(question: {
  readonly type: string;
  readonly [key: string]: unknown;
}): Promise<T | undefined> {
  // Most runs ask nothing, and inquirer takes a while to load.
  const { default: inquirer } = await import("inquirer");
  // Standard output may go to a file or a pipe; whoever is asked looks at standard error, where the plan is.
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  try {
    const answers: { readonly answer?: unknown } = await prompt([{ ...question, name: "answer" }] as never);
    return answers.answer as T;
  } catch (error) {
    if ((error as Error).name === "ExitPromptError") return undefined;
    throw error;
  }
}
