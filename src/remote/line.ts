import type { EffectiveSettings } from "./effective-settings.ts";
import { Limit } from "./limit.ts";

/** sshd allows 10 sessions on a connection (MaxSessions); some administrators allow fewer. */
const MOST_CHANNELS = 6;

/** The host would not open a channel, although the connection stands. */
export class ChannelRefused extends Error {
  override readonly name = "ChannelRefused";
  /** SSH_OPEN_… of RFC 4254, 5.1; undefined when the exec request itself was refused. */
  readonly reason: number | undefined;

  constructor(reason: number | undefined, description: string) {
    super(description);
    this.reason = reason;
  }
}

/** The connection ended before a channel was open on it. */
export class ConnectionEnded extends Error {
  override readonly name = "ConnectionEnded";
}

/** What a conversation goes over: an exec request that the host took. */
export interface Channel {
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Code undefined: the host did not say how it ended, for the connection was lost. */
  on(event: "close", listener: (code?: number | null, signal?: string) => void): unknown;
  once(event: "close", listener: () => void): unknown;
  readonly stderr: { on(event: "data", listener: (chunk: Buffer) => void): unknown };
  /** Calls back once the connection has taken the bytes. */
  write(bytes: string | Uint8Array, taken?: () => void): unknown;
  /** Ends the input of what runs. */
  end(): unknown;
  close(): unknown;
}

/** An authenticated connection to a host, whichever SSH client made it. */
export abstract class Line {
  /** Its name in messages. */
  readonly name: string;
  /** Whom it is logged in as. */
  readonly user: string;
  /** Places for channels; a channel gives its place back when it is closed on both sides. */
  readonly places = new Limit(MOST_CHANNELS);
  /** Places taken by holds, which may last as long as the run. */
  held = 0;
  /** To be told that others wait for their sessions. */
  readonly talks = new Set<{ giveWay(): void }>();
  /** Once a script has begun on this connection, the login shell and the privilege are known to be good. */
  isProven = false;
  /** Settled once the first script on this connection has begun or failed to; never rejects. */
  proving: Promise<void> | undefined;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** To be told when the connection is gone: kept apart from `closed`, which cannot be left again. */
  readonly #waiting = new Set<() => void>();
  #endedBecause: string | undefined;

  constructor({ alias, user }: EffectiveSettings) {
    this.name = alias;
    this.user = user.value;
    this.closed = new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Why the connection ended; undefined while it stands. */
  get endedBecause(): string | undefined {
    return this.#endedBecause;
  }

  /** Calls `listener` once, when the connection is gone; at once when it is. Returns the way to be no longer told. */
  onGone(listener: () => void): () => void {
    if (this.#endedBecause === undefined) this.#waiting.add(listener);
    else listener();
    return () => this.#waiting.delete(listener);
  }

  /** Says that the connection is gone. */
  protected gone(because: string): void {
    if (this.#endedBecause !== undefined) return;
    this.#endedBecause = because;
    for (const listener of this.#waiting) listener();
    this.#waiting.clear();
  }

  /** Sends one exec request. Throws ChannelRefused or ConnectionEnded; nothing has been run then. */
  abstract exec(): Promise<Channel>;

  /** Drops the connection at once, also when the other side no longer answers. */
  abstract destroy(because: string): void;

  /** Says good-bye and waits a moment for the other side to agree. Never throws. */
  abstract end(): Promise<void>;
}
