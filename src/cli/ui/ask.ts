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

async function hidden(message: string): Promise<Secret | undefined> {
  const answer = await ask({ type: "password", message });
  return typeof answer === "string" && answer !== "" ? new Secret(answer) : undefined;
}

async function confirm(message: string): Promise<boolean | undefined> {
  const answer = await ask({ type: "confirm", message, default: false });
  return typeof answer === "boolean" ? answer : undefined;
}

type Question = { type: "password" | "confirm"; message: string; default?: boolean };

/** The answer; undefined on ^C. */
async function ask(question: Question): Promise<string | boolean | undefined> {
  // Most runs ask nothing, and inquirer takes a while to load.
  const { default: inquirer } = await import("inquirer");
  // Standard output may go to a file or a pipe; whoever is asked looks at standard error, where the plan is.
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  try {
    return (await prompt<{ answer: string | boolean }>([{ ...question, name: "answer" }])).answer;
  } catch (error) {
    if ((error as Error).name === "ExitPromptError") return undefined;
    throw error;
  }
}
