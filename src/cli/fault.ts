import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import type { HostName } from "../contract/inventory-view.ts";
import { HostLost } from "../errors.ts";
import { hostBlamedFor } from "../remote/blame.ts";
import type { Held, Outcome, Remote, RunOptions, Talk, TalkOptions } from "../remote/remote.ts";
import { shownText } from "./shown.ts";

/** Whose change the code belongs to that runs right now: also that of its sockets and timers. */
const current = new AsyncLocalStorage<FaultyRemote>();
/** Sessions that were begun and not ended. */
const open = new Set<FaultyRemote>();

/** A host's session that a defect of ours in the middle of it ends, and with it only this host's part of the run. */
export class FaultyRemote implements Remote {
  readonly #remote: Remote;
  readonly #underWay = new Map<(error: Error) => void, string>();

  constructor(remote: Remote) {
    this.#remote = remote;
  }

  get host(): HostName {
    return this.#remote.host;
  }

  get execs(): number {
    return this.#remote.execs;
  }

  run(script: string, options: RunOptions): Promise<Outcome> {
    return this.#guarded(options, () => current.run(this, () => this.#remote.run(script, options)));
  }

  hold(script: string, options: RunOptions): Promise<Held> {
    return this.#guarded(options, () => current.run(this, () => this.#remote.hold(script, options)));
  }

  /** What its streams bring up is known by them. */
  talk(script: string, options: TalkOptions): Promise<Talk> {
    return this.#guarded(options, () => this.#remote.talk(script, options));
  }

  anew(): Remote {
    return new FaultyRemote(this.#remote.anew());
  }

  end(): Promise<void> {
    open.delete(this);
    return this.#remote.end();
  }

  /** What is under way on the host ends as lost, and nothing more can be done there. */
  fail(error: unknown): void {
    const because = `a fault of meshctl: ${error instanceof Error ? error.message : String(error)}`;
    for (const [reject, during] of this.#underWay)
      reject(new HostLost(this.host, during, `${during}: the connection was given up: ${because}`));
    void this.end();
  }

  async #guarded<T>({ during }: Pick<RunOptions, "during">, work: () => Promise<T>): Promise<T> {
    let lose: (error: Error) => void = () => {};
    const lost = new Promise<never>((_, reject) => {
      lose = reject;
    });
    this.#underWay.set(lose, during);
    open.add(this);
    try {
      return await Promise.race([work(), lost]);
    } finally {
      this.#underWay.delete(lose);
    }
  }
}

/**
 * Keeps a defect of ours from ending the program in the middle of a change: an error that nothing caught fails the host
 * in whose session it came up. `stop` is called for one that is no host's. Both are told on standard error. Returns the
 * way to end this.
 */
export function guardAgainstFaults(
  stop: () => void,
  say: (text: string) => void = (text) => process.stderr.write(text),
): () => void {
  const see = (error: unknown) => {
    const remote = current.getStore();
    const host = hostBlamedFor(error);
    const remotes = remote === undefined ? [...open].filter((each) => each.host === host) : [remote];
    const where = remotes.length === 0 ? "" : ` in the session with ${remotes[0]!.host}`;
    say(`${shownText(`A fault of meshctl${where}: ${inspect(error)}`)}\n`);
    if (remotes.length === 0) stop();
    for (const each of remotes) each.fail(error);
  };
  process.on("uncaughtException", see);
  process.on("unhandledRejection", see);
  return () => {
    process.off("uncaughtException", see);
    process.off("unhandledRejection", see);
  };
}
