import inquirer from "inquirer";
import type { HostKeyQuestion } from "../../remote/host-key.ts";
import { Secret } from "../../secret.ts";

// Standard output may go to a file or a pipe; whoever is asked looks at standard error, where the plan is.
const prompt = inquirer.createPromptModule({ output: process.stderr });

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
export async function askPassphrase(file: string): Promise<Secret | undefined> {
  const answer = await unlessInterrupted(
    prompt<{ answer: string }>({
      type: "password",
      name: "answer",
      message: `Passphrase of ${file}:`,
    }),
  );
  return answer === undefined ? undefined : new Secret(answer.answer);
}

async function confirm(message: string): Promise<boolean | undefined> {
  const answer = await unlessInterrupted(
    prompt<{ answer: boolean }>({ type: "confirm", name: "answer", message, default: false }),
  );
  return answer?.answer;
}

async function unlessInterrupted<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error as Error).name === "ExitPromptError") return undefined;
    throw error;
  }
}
