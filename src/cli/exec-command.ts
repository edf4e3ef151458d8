import type { HostName } from "../contract/inventory-view.ts";
import { exitCodeOf } from "../engine/exit-code.ts";
import { isAway } from "../errors.ts";
import { matchHosts } from "../inventory/pattern.ts";
import type { Remote } from "../remote/remote.ts";
import { shellQuote } from "../shell-quote.ts";
import { withLastRun } from "./last-run.ts";
import { loadInventory } from "./load.ts";
import { onHosts } from "./on-hosts.ts";
import type { InventoryOptions } from "./options.ts";
import { shownData } from "./shown.ts";
import { type ExecAnswer, execView } from "./ui/exec-view.ts";
import { paintFor } from "./ui/paint.ts";

export type ExecFlags = InventoryOptions & { readonly parallel: number; readonly timeout: number };

/** Runs a command on hosts and shows what came of it. Returns the exit code. Throws ConfigurationError. */
export async function execCommand(
  pattern: string,
  words: readonly [string, ...string[]],
  flags: ExecFlags,
): Promise<number> {
  const inventory = await loadInventory(flags);
  const hosts = matchHosts(withLastRun(pattern), inventory);
  const results = await onHosts(inventory, hosts, flags, (remote, host) =>
    answerOf(remote, host, scriptOf(words), flags.timeout),
  );
  const all = results.map(({ result }) => result);
  const paint = paintFor(process.stdout, flags.color);
  process.stdout.write(flags.json ? `${JSON.stringify(shownData(all))}\n` : `${execView(all, paint)}\n`);
  return exitCodeOf(
    all.map(({ exit_code, unreachable }) => ({
      is: unreachable !== undefined ? "unreachable" : exit_code === 0 ? "as wanted" : "failed",
    })),
  );
}

/** One word is the shell's to read, as with ssh; several are a program and its arguments. */
export function scriptOf(words: readonly [string, ...string[]]): string {
  return words.length === 1 ? `${words[0]}\n` : `${words.map((word) => shellQuote(word)).join(" ")}\n`;
}

async function answerOf(
  remote: Remote,
  host: HostName,
  script: string,
  timeoutMs: number,
): Promise<ExecAnswer> {
  try {
    const { exitCode, stdout, stderr } = await remote.run(script, { during: "the command", timeoutMs });
    return { host, exit_code: exitCode, output: stdout, errors: stderr };
  } catch (error) {
    if (!isAway(error)) throw error;
    return { host, unreachable: error.message };
  }
}
