import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostName } from "../../contract/inventory-view.ts";
import { EXEC_COMMAND } from "../conversation.ts";
import type { EffectiveSettings } from "../effective-settings.ts";
import { ChannelRefused, ConnectionEnded, Line } from "../line.ts";
import { ProcessChannel } from "./channel.ts";
import { sessionIn } from "./failure.ts";

/** SSH_OPEN_RESOURCE_SHORTAGE (RFC 4254, 5.1): ssh does not tell which reason the host gave. */
const REFUSED = 4;
const LOOK_MS = 10;
/** An ssh that does not tell when a session is open is believed to have it. */
const UNTOLD_MS = 5_000;
const END_MS = 2_000;
const WORDS_MS = 300;

/** A master connection of OpenSSH's client; each exec request is an ssh process that goes over it. */
export class MasterConnection extends Line {
  readonly #host: HostName;
  readonly #master: ChildProcess;
  /** The master's socket, in a directory that is this user's alone. */
  readonly #socket: string;
  #sessions = 0;

  constructor(settings: EffectiveSettings, master: ChildProcess, socket: string, lastWords: () => string) {
    super(settings);
    this.#host = settings.host;
    this.#master = master;
    this.#socket = socket;
    master.once("exit", async () => {
      // What holds its input open is not needed any more.
      master.stdin?.destroy();
      // Its last words may be on the way still; what it left behind may hold that way open.
      await Promise.race([new Promise((resolve) => master.once("close", resolve)), sleep(WORDS_MS)]);
      this.gone(lastWords());
    });
  }

  override async exec(): Promise<ProcessChannel> {
    if (this.endedBecause !== undefined) throw new ConnectionEnded(this.endedBecause);
    this.#sessions += 1;
    const log = `${this.#socket}.${this.#sessions}`;
    // Should the master be gone, ssh would make a connection of its own: its way there leads nowhere.
    const args = ["-F", "none", "-S", this.#socket, "-o", "ProxyCommand=false", "-v", "-E", log];
    const child = spawn("ssh", [...args, "-T", "-e", "none", "--", "master", EXEC_COMMAND], {
      stdio: ["pipe", "pipe", "pipe"],
      // ^C at the terminal is not for what is under way.
      detached: true,
    });
    // The process of a lost session ends a moment before the master does.
    const isLost = async () => {
      await Promise.race([this.closed, sleep(3 * WORDS_MS)]);
      return this.endedBecause !== undefined;
    };
    const channel = new ProcessChannel(this.#host, child, isLost);
    try {
      await this.#opened(child, log);
      return channel;
    } catch (error) {
      channel.close();
      throw error;
    } finally {
      await rm(log, { force: true });
    }
  }

  /** Resolves when the host has opened the session. */
  async #opened(child: ChildProcessWithoutNullStreams, log: string): Promise<void> {
    let failed: Error | undefined;
    child.once("error", (error) => {
      failed = error;
    });
    const untilMs = performance.now() + UNTOLD_MS;
    for (;;) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null || failed !== undefined;
      const session = sessionIn(await readFile(log, "utf8").catch(() => ""));
      if (session?.is === "open") return;
      if (session?.is === "refused") throw new ChannelRefused(REFUSED, session.because);
      if (hasEnded || this.endedBecause !== undefined)
        throw new ConnectionEnded(
          this.endedBecause ?? failed?.message ?? "ssh could not reach its master connection",
        );
      if (performance.now() > untilMs) return;
      await sleep(LOOK_MS);
    }
  }

  override destroy(because: string): void {
    this.gone(because);
    this.#master.stdin?.destroy();
    this.#master.kill("SIGTERM");
  }

  override async end(): Promise<void> {
    // master.sh ends the master then.
    this.#master.stdin?.end();
    const timer = setTimeout(() => this.destroy("it was ended"), END_MS);
    await this.closed;
    clearTimeout(timer);
    // Conversations read what has come before they end.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
