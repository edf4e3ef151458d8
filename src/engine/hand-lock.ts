import { hostname } from "node:os";
import { localUser } from "../local-user.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { shellQuote } from "../shell-quote.ts";
import { lastLines } from "../terminal-text.ts";
import { ChangeFailed } from "./change-failed.ts";

const SCRIPTS = ["locks", "hand-lock"].map((name) => new URL(`./commands/${name}.sh`, import.meta.url));
const MOST_LETTERS = 200;

/** Whether a reason can be shown in a line anywhere. */
export function isReason(text: string): boolean {
  return /^[^\p{C}]+$/u.test(text) && text.trim() !== "" && text.length <= MOST_LETTERS;
}

/** What is kept on the host: why, who, since when. */
export function handLockText(reason: string): string {
  return `${reason.trim()} (${localUser().name} on ${hostname()} since ${new Date().toISOString()})`;
}

/**
 * The lock that a person puts on a host until a person takes it away: runs look at the host, and change nothing. Returns
 * what was there before; one that is there stays. Throws ChangeFailed, HostUnreachable, HostLost.
 */
export async function handLock(
  remote: Remote,
  what: { readonly set: string } | "clear" | "show",
): Promise<string | undefined> {
  const args = typeof what === "string" ? [what] : ["set", what.set];
  const { stdout, stderr, exitCode } = await remote.run(
    `set -- ${args.map((arg) => shellQuote(arg)).join(" ")}\n${SCRIPTS.map(scriptText).join("\n")}`,
    { during: "the lock by hand", timeoutMs: 15_000 },
  );
  if (exitCode !== 0)
    throw new ChangeFailed(
      remote.host,
      `the lock could not be changed: ${lastLines(stderr) || "no reason was given"}`,
    );
  return /^was (.*)$/m.exec(stdout)?.[1];
}
