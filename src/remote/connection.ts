import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import type { HostName } from "../contract/inventory-view.ts";
import { blaming } from "./blame.ts";
import { EXEC_COMMAND } from "./conversation.ts";
import type { EffectiveSettings } from "./effective-settings.ts";
import { ChannelRefused, ConnectionEnded, Line } from "./line.ts";

/** One connection of the built-in client. */
export class Connection extends Line {
  readonly #host: HostName;
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #via: Connection | undefined;

  /** `onClose` is called once, when the connection is gone for whatever reason. */
  constructor(
    settings: EffectiveSettings,
    client: Client,
    socket: Duplex,
    via: Connection | undefined,
    onClose: () => void,
  ) {
    super(settings);
    this.#host = settings.host;
    this.#via = via;
    this.#client = client;
    this.#socket = socket;
    let lastError: Error | undefined;
    this.onGone(onClose);
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

  /** Where a chain of jump hosts broke: the connection whose end ended this one, or this one. */
  get origin(): Connection {
    return this.#via?.endedBecause === undefined ? this : this.#via.origin;
  }

  /** How many jump hosts lie before it. */
  get hops(): number {
    return this.#via === undefined ? 0 : this.#via.hops + 1;
  }

  override exec(): Promise<ClientChannel> {
    return this.#open((callback) =>
      this.#client.exec(EXEC_COMMAND, (error, channel) => {
        // What comes while nobody listens yet, and that it is closed, it tells later than its socket.
        if (error === undefined) for (const stream of [channel, channel.stderr]) blaming(stream, this.#host);
        callback(error, channel);
      }),
    );
  }

  /** A stream to another host as seen from this one. Throws as `exec` does. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return this.#open((callback) => this.#client.forwardOut("127.0.0.1", 0, host, port, callback));
  }

  #open(
    request: (callback: (error: Error | undefined, channel: ClientChannel) => void) => void,
  ): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new ConnectionEnded(this.endedBecause ?? "the connection was lost"));
      const leave = this.onGone(ended);
      if (this.endedBecause !== undefined) return;
      try {
        request((error, channel) => {
          leave();
          if (error === undefined) resolve(channel);
          else if (this.endedBecause !== undefined || !this.#socket.writable) ended();
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

  override destroy(because: string): void {
    this.gone(because);
    this.#socket.destroy();
  }

  override async end(): Promise<void> {
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
