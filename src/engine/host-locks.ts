import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine } from "../command-line.ts";
import type { HostName } from "../contract/inventory-view.ts";
import { localUser } from "../local-user.ts";
import type { Held, Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { shellQuote } from "../shell-quote.ts";
import { ChangeFailed } from "./change-failed.ts";

const LOCK = ["locks", "lock"].map((name) => new URL(`./commands/${name}.sh`, import.meta.url));

/** A change that outlived its run ends by itself; an apt run among them takes minutes. */
const UNFINISHED_MS = 600_000;
const BUSY_PAUSE_MS = 2_000;
const UNFINISHED = "a change that lost its connection is still under way on this host";

/** What is done while a lock cannot be had yet: who waits is told, and may be told to stop. */
export interface Patience {
  readonly say: (because: string) => void;
  readonly stop: AbortSignal;
  /** How long another run that lives is waited for; undefined: not at all. */
  readonly lockWaitMs?: number | undefined;
}

/** Another run has the lock: what the host says of it. */
interface Busy {
  readonly busy: string;
}

/** The locks one run holds: two runs never change one host at the same time. */
export class HostLocks {
  readonly #run: string;
  readonly #remoteOf: (host: HostName) => Remote;
  readonly #held = new Map<HostName, Promise<Held>>();

  constructor(run: string, remoteOf: (host: HostName) => Remote) {
    this.#run = run;
    this.#remoteOf = remoteOf;
  }

  /**
   * Takes the host's lock unless this run has it; one that went with its connection is taken anew. With `patience` a
   * change that a run which was cut off left under way is waited for, and another run that lives for as long as it says. Throws ChangeFailed that names the holder; HostLost, HostUnreachable.
   */
  async take(host: HostName, patience?: Patience): Promise<void> {
    const before = this.#held.get(host)?.catch(() => undefined) ?? Promise.resolve(undefined);
    const now = before.then((held) => (held?.isHeld ? held : this.#holdPatiently(host, patience)));
    this.#held.set(host, now);
    await now;
  }

  async releaseAll(): Promise<void> {
    const ended = await Promise.allSettled(this.#held.values());
    await Promise.all(ended.map((end) => (end.status === "fulfilled" ? end.value.release() : undefined)));
  }

  async #holdPatiently(host: HostName, patience: Patience | undefined): Promise<Held> {
    const startedAtMs = performance.now();
    for (;;) {
      const held = await this.#hold(host);
      const waitedMs = performance.now() - startedAtMs;
      if (held !== "unfinished" && "busy" in held) {
        const mayWaitMs = patience?.stop.aborted ? 0 : (patience?.lockWaitMs ?? 0);
        if (waitedMs >= mayWaitMs) throw new ChangeFailed(host, refusal(host, held.busy));
        patience!.say(`another meshctl is changing this host: ${holderOf(held.busy)}`);
        await sleep(Math.min(BUSY_PAUSE_MS, mayWaitMs - waitedMs));
        continue;
      }
      if (held !== "unfinished") return held;
      if (patience === undefined || patience.stop.aborted || waitedMs > UNFINISHED_MS) {
        throw new ChangeFailed(host, `${UNFINISHED}; run this again when it has ended (ps shows it)`);
      }
      patience.say(UNFINISHED);
      await sleep(1000);
    }
  }

  async #hold(host: HostName): Promise<Held | "unfinished" | Busy> {
    const holder = `run ${this.#run} by ${localUser().name} on ${hostname()} since ${new Date().toISOString()}`;
    const held = await this.#remoteOf(host).hold(
      `set -- ${shellQuote(holder)}\n${LOCK.map(scriptText).join("\n")}`,
      {
        during: "taking the host's lock",
        timeoutMs: 15_000,
      },
    );
    if (held.firstLine === "locked") return held;
    await held.release();
    if (held.firstLine === "unfinished") return "unfinished";
    if (held.firstLine.startsWith("busy ")) return { busy: held.firstLine };
    throw new ChangeFailed(host, refusal(host, held.firstLine));
  }
}

/** Of "busy PID HOLDER". */
function holderOf(line: string): string {
  return line.trim().split(" ").slice(2).join(" ") || "it does not say which";
}

/** "busy PID HOLDER", "held PID USER PROGRAM", "held" or "failed WHY", as lock.sh says it. */
function refusal(host: HostName, line: string): string {
  const [is, pid = "", ...holder] = line.trim().split(" ");
  if (is === "closed")
    return `it is locked by hand: ${line.slice("closed ".length).trim()}. "meshctl unlock -l ${host}" lets runs change it again`;
  if (is === "failed") return `the host's lock cannot be taken: ${line.slice("failed ".length).trim()}`;
  if (is === "held") {
    const who = pid === "" ? "a process that cannot be told" : `process ${pid} (${holder.join(" ")})`;
    return `the host's lock is held by ${who}, and no run of meshctl's says that it is its own; look at it on the host (fuser -v /run/meshctl/locks/run), then run this again`;
  }
  const end = /^\d+$/.test(pid)
    ? `this ends it on the host: ${commandLine("kill", pid)}`
    : "the host does not say which process that is";
  return (
    `another meshctl is changing this host (${holderOf(line)}); run this again when it has ended. ` +
    `If it is dead and its connection hangs, ${end}`
  );
}
