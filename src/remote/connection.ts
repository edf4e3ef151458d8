import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import { EXEC_COMMAND } from "./conversation.ts";
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

/** One authenticated SSH connection. */
export class Connection {
  /** Its name in messages. */
  readonly name: string;
  /** Whom it is logged in as. */
  readonly user: string;
  /** Places for channels; a channel gives its place back when it is closed on both sides. */
  readonly places = new Limit(MOST_CHANNELS);
  /** Places taken by holds, which may last as long as the run. */
  held = 0;
  /** Once a script has begun on this connection, the login shell and the privilege are known to be good. */
  isProven = false;
  /** Settled once the first script on this connection has begun or failed to; never rejects. */
  proving: Promise<void> | undefined;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** To be told when the connection is gone: kept apart from `closed`, which cannot be left again. */
  readonly #waiting = new Set<() => void>();
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #via: Connection | undefined;
  #endedBecause: string | undefined;

  /** `onClose` is called once, when the connection is gone for whatever reason. */
  constructor(
    { alias, user }: EffectiveSettings,
    client: Client,
    socket: Duplex,
    via: Connection | undefined,
    onClose: () => void,
  ) {
    this.name = alias;
    this.user = user.value;
    this.#via = via;
    this.#client = client;
    this.#socket = socket;
    let lastError: Error | undefined;
    this.closed = new Promise((resolve) => {
      this.#waiting.add(onClose).add(resolve);
    });
    client.on("error", (error: Error & { level?: string }) => {
      lastError = error;
      // Nobody answers any more. What goes over a jump host's channel may never close: the jump host answers that
      // only once its own output to the silent host is gone.
      if (error.level === "client-timeout") this.destroy(lossOf(via) ?? error.message);
    });
    const closed = () => this.destroy(lossOf(via) ?? lastError?.message ?? "the host closed the connection");
    client.once("close", closed);
    // A jump host's channel whose far end is gone ends, and closes only when somebody writes to it: ssh2 does not, for
    // it sends no keepalives any more.
    if (via !== undefined) client.once("end", () => setImmediate(closed));
    // Taken back when this one is gone first: a jump host outlives many of those behind it.
    const leave = via?.onGone(() => this.destroy(lossOf(via) ?? "the jump host was lost"));
    if (leave !== undefined) this.onGone(leave);
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

  #gone(because: string): void {
    if (this.#endedBecause !== undefined) return;
    this.#endedBecause = because;
    for (const listener of this.#waiting) listener();
    this.#waiting.clear();
  }

  /** Where a chain of jump hosts broke: the connection whose end ended this one, or this one. */
  get origin(): Connection {
    return this.#via?.endedBecause === undefined ? this : this.#via.origin;
  }

  /** How many jump hosts lie before it. */
  get hops(): number {
    return this.#via === undefined ? 0 : this.#via.hops + 1;
  }

  /** Sends one exec request. Throws ChannelRefused or ConnectionEnded; nothing has been run then. */
  exec(): Promise<ClientChannel> {
    return this.#open((callback) => this.#client.exec(EXEC_COMMAND, callback));
  }

  /** A stream to another host as seen from this one. Throws as `exec` does. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return this.#open((callback) => this.#client.forwardOut("127.0.0.1", 0, host, port, callback));
  }

  #open(
    request: (callback: (error: Error | undefined, channel: ClientChannel) => void) => void,
  ): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new ConnectionEnded(this.#endedBecause ?? "the connection was lost"));
      const leave = this.onGone(ended);
      if (this.#endedBecause !== undefined) return;
      try {
        request((error, channel) => {
          leave();
          if (error === undefined) resolve(channel);
          else if (this.#endedBecause !== undefined || !this.#socket.writable) ended();
          else {
            const reason = "reason" in error && typeof error.reason === "number" ? error.reason : undefined;
            reject(new ChannelRefused(reason, error.message));
          }
        });
      } catch {
        // "Not connected": the socket is gone, and its close event is on the way.
        ended();
      }
    });
  }

  /** Drops the connection at once, also when the other side no longer answers. */
  destroy(because: string): void {
    this.#gone(because);
    this.#socket.destroy();
  }

  /** Says good-bye and waits a second for the other side to agree. Never throws. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.destroy("it was ended"), 1_000);
    this.#client.end();
    await this.closed;
    clearTimeout(timer);
    // Conversations read what has come before they end.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How the loss of a jump host is told to what was reached through it; undefined while it stands. */
export function lossOf(via: Connection | undefined): string | undefined {
  if (via?.endedBecause === undefined) return undefined;
  const { name, endedBecause } = via.origin;
  return `the jump host ${name} was lost: ${endedBecause}`;
}
