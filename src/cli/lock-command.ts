import type { HostName } from "../contract/inventory-view.ts";
import { exitCodeOf } from "../engine/exit-code.ts";
import { handLock, handLockText, isReason } from "../engine/hand-lock.ts";
import { ConfigurationError, isAway } from "../errors.ts";
import { limitOf, loadInventory } from "./load.ts";
import { onHosts } from "./on-hosts.ts";
import type { InventoryOptions } from "./options.ts";
import { shownText } from "./shown.ts";

export type LockFlags = InventoryOptions & { readonly limit?: string; readonly parallel: number };

type What =
  | { readonly is: "lock"; readonly reason: string }
  | { readonly is: "unlock" }
  | { readonly is: "show" };

interface Answer {
  readonly host: HostName;
  readonly outcome: "locked" | "unlocked" | "was locked" | "unreachable" | "failed";
  /** The lock, or what went wrong. */
  readonly because?: string | undefined;
}

/** Locks hosts by hand, unlocks them, or tells which are. Returns the exit code. Throws ConfigurationError. */
export async function lockCommand(what: What, flags: LockFlags): Promise<number> {
  if (what.is === "lock" && !isReason(what.reason))
    throw new ConfigurationError("the reason is one line of up to 200 letters that everybody will see");
  const inventory = await loadInventory(flags);
  const isMeant = limitOf(flags.limit, inventory);
  const hosts = [...inventory.hosts.keys()].filter(isMeant);
  const text = what.is === "lock" ? handLockText(what.reason) : "";
  const results = await onHosts(inventory, hosts, flags, (remote, host) =>
    answerOf(host, what, text, remote),
  );
  const all = results.map(({ result }) => result);
  if (flags.json) process.stdout.write(`${JSON.stringify(all)}\n`);
  else for (const answer of all) process.stdout.write(`${shownText(lineOf(answer))}\n`);
  return exitCodeOf(
    all.map(({ outcome }) => ({
      is:
        outcome === "was locked"
          ? "failed"
          : outcome === "unreachable" || outcome === "failed"
            ? outcome
            : "as wanted",
    })),
  );
}

async function answerOf(
  host: HostName,
  what: What,
  text: string,
  remote: Parameters<typeof handLock>[0],
): Promise<Answer> {
  try {
    const before = await handLock(
      remote,
      what.is === "lock" ? { set: text } : what.is === "unlock" ? "clear" : "show",
    );
    if (what.is === "unlock") return { host, outcome: "unlocked", because: before };
    if (before !== undefined)
      return { host, outcome: what.is === "lock" ? "was locked" : "locked", because: before };
    return what.is === "lock" ? { host, outcome: "locked", because: text } : { host, outcome: "unlocked" };
  } catch (error) {
    return { host, outcome: isAway(error) ? "unreachable" : "failed", because: (error as Error).message };
  }
}

function lineOf({ host, outcome, because }: Answer): string {
  if (outcome === "unlocked")
    return `${host}: unlocked${because === undefined ? "" : `; it was locked: ${because}`}`;
  if (outcome === "was locked") return `${host}: locked already: ${because}`;
  return `${host}: ${outcome}: ${because}`;
}
