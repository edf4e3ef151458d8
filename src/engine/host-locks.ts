import { hostname, userInfo } from "node:os";
import type { HostName } from "../inventory/view.ts";
import { shellQuote } from "../remote/quote.ts";
import type { Held, Remote } from "../remote/remote.ts";
import { ChangeFailed } from "./change-failed.ts";
import { scriptText } from "./script-block.ts";

const LOCK = new URL("./commands/lock.sh", import.meta.url);

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
   * Takes the host's lock unless this run has it; one that went with its connection is taken anew.
   * Throws ChangeFailed that names the holder; HostLost, HostUnreachable.
   */
  async take(host: HostName): Promise<void> {
    const before = this.#held.get(host)?.catch(() => undefined) ?? Promise.resolve(undefined);
    const now = before.then((held) => (held?.isHeld ? held : this.#hold(host)));
    this.#held.set(host, now);
    await now;
  }

  async releaseAll(): Promise<void> {
    const ended = await Promise.allSettled(this.#held.values());
    await Promise.all(ended.map((end) => (end.status === "fulfilled" ? end.value.release() : undefined)));
  }

  async #hold(host: HostName): Promise<Held> {
    const holder = `run ${this.#run} by ${userInfo().username} on ${hostname()} since ${new Date().toISOString()}`;
    const held = await this.#remoteOf(host).hold(`set -- ${shellQuote(holder)}\n${scriptText(LOCK)}`, {
      during: "taking the host's lock",
      timeoutMs: 15_000,
    });
    if (held.firstLine === "locked") return held;
    await held.release();
    throw new ChangeFailed(host, refusal(held.firstLine));
  }
}

/** "busy PID HOLDER" or "unfinished", as lock.sh says it. */
function refusal(line: string): string {
  const [word, pid, ...holder] = line.split(" ");
  if (word === "busy") {
    return (
      `another meshctl is changing this host (${holder.join(" ") || "it does not say which"}); run this again when it has ended. ` +
      `If it is dead and its connection hangs, this ends it on the host: kill ${pid}`
    );
  }
  return "a change that lost its connection is still under way on this host; run this again when it has ended (ps shows it)";
}
