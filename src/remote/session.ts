import { setTimeout as sleep } from "node:timers/promises";
import type { HostName } from "../contract/inventory-view.ts";
import { CommandFailed, HostLost, HostUnreachable } from "../errors.ts";
import type { SshSettings } from "../inventory/ssh-settings.ts";
import { type Deadline, deadline } from "../own-time.ts";
import type { Secret } from "../secret.ts";
import { lastLines } from "../terminal-text.ts";
import { Conversation, type ConversationEnd, type Denied } from "./conversation.ts";
import type { Deadlines } from "./deadlines.ts";
import { type Channel, ChannelRefused, ConnectionEnded, type Line } from "./line.ts";
import { NOT_INSTALLED, privilegeAdvice } from "./privilege-advice.ts";
import type { Held, Outcome, Remote, RunOptions, Talk, TalkOptions } from "./remote.ts";
import type { Typed, TypedPassword } from "./typed-password.ts";

/** What a host says costs memory and time that the others need. */
const DEFAULT_MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** One line, and why there is none. */
const MOST_OUTPUT_OF_HOLD_BYTES = 4096;
const RELEASE_MS = 5_000;
/** How long a finished channel may take to close by itself: a child left in the background keeps it open. */
const LINGER_MS = 300;
/** How often a channel that is refused is asked for again while no other channel of ours is in the way. */
const MOST_REFUSALS = 5;

/** Makes connections. */
export interface Dials {
  /** A new connection to the host. Throws HostUnreachable, or the signal's reason as soon as it is aborted. */
  dial(host: string, settings: SshSettings, signal: AbortSignal): Promise<Line>;
}

/** One host over SSH. */
export class Session implements Remote {
  readonly host: HostName;
  readonly #settings: SshSettings;
  readonly #dialer: Dials;
  readonly #deadlines: Deadlines;
  #execs = 0;
  #connection: Promise<Line> | undefined;
  /** Every connection that stands: more than one only where a hold fills the first (MaxSessions 1). */
  readonly #connections = new Set<Line>();
  /** Credentials that were refused. They are not sent again: hosts lock users and addresses out for that. */
  #refusal: HostUnreachable | undefined;
  readonly #ending = new AbortController();
  /** A password for sudo that a person typed, once the host has shown that it wants one. */
  #typed: Typed | undefined;
  readonly #typedBy: (user: string) => TypedPassword | undefined;

  constructor(
    host: HostName,
    settings: SshSettings,
    dialer: Dials,
    deadlines: Deadlines,
    typedBy: (user: string) => TypedPassword | undefined,
  ) {
    this.host = host;
    this.#settings = settings;
    this.#dialer = dialer;
    this.#deadlines = deadlines;
    this.#typedBy = typedBy;
  }

  get execs(): number {
    return this.#execs;
  }

  async run(script: string, options: RunOptions): Promise<Outcome> {
    const talk = await this.#start(script, options, false);
    const end = await this.#within(talk, talk.conversation.end, options);
    if (end.is !== "exited") throw this.#error(end, talk, options.during);
    const { exitCode, stdout, stderr, sentAtMs, firstByteAtMs } = end;
    return { exitCode, stdout, stderr, sentAtMs, firstByteAtMs };
  }

  async hold(script: string, options: RunOptions): Promise<Held> {
    const talk = await this.#start(script, options, true);
    const { conversation, connection } = talk;
    const firstLine = await this.#within(talk, conversation.firstLine, options);
    if (firstLine === undefined) {
      const end = await conversation.end;
      if (end.is !== "exited") throw this.#error(end, talk, options.during);
      throw new CommandFailed(this.host, options.during, end.exitCode, end.stderr);
    }
    let isHeld = true;
    connection.held += 1;
    const over = conversation.end.then((end) => {
      isHeld = false;
      connection.held -= 1;
      return end.is === "exited";
    });
    return {
      firstLine,
      get isHeld() {
        return isHeld;
      },
      async release() {
        if (!isHeld) return over;
        conversation.closeInput();
        const isGone = await Promise.race([over, sleep(RELEASE_MS, false, { ref: false })]);
        isHeld = false;
        conversation.close();
        return isGone;
      },
    };
  }

  anew(): Remote {
    return new Session(this.host, this.#settings, this.#dialer, this.#deadlines, this.#typedBy);
  }

  async talk(script: string, options: TalkOptions): Promise<Talk> {
    const { onOutput, giveWay } = options;
    const begun = await this.#start(script, options, true, onOutput);
    const { conversation, connection } = begun;
    const talker = { giveWay };
    connection.talks.add(talker);
    const ended = conversation.end.then((end) => {
      connection.talks.delete(talker);
      if (end.is !== "exited") return this.#error(end, begun, options.during);
      const said = lastLines(end.stderr);
      return this.#lost(
        options.during,
        `ended with exit code ${end.exitCode}${said === "" ? "" : `: ${said}`}`,
      );
    });
    if (!conversation.isSent) throw await ended;
    return {
      ended,
      send: (bytes) => conversation.send(bytes),
      async close() {
        conversation.closeInput();
        await Promise.race([ended, sleep(RELEASE_MS, undefined, { ref: false })]);
        // A program that is stopped keeps its channel open: it is not waited for.
        conversation.abandon();
        conversation.close();
      },
    };
  }

  async end(): Promise<void> {
    // A dial under way is dropped: a host that does not answer must not hold up the end.
    this.#ending.abort(new HostUnreachable(this.host, "connect", "connect: the session was ended"));
    const pending = this.#connection;
    this.#connection = undefined;
    await pending?.catch(() => {});
    await Promise.all([...this.#connections].map((connection) => connection.end()));
  }

  /** A conversation whose script is sent. Throws HostUnreachable when the host does not get that far. */
  async #start(
    script: string,
    options: RunOptions,
    holdInput: boolean,
    onOutput?: (bytes: Buffer) => void,
  ): Promise<Begun> {
    if (script.includes("\0")) throw new TypeError(`${options.during}: a script cannot hold a NUL character`);
    const { privilege } = this.#settings;
    const mayUseSudo = privilege === "auto" || privilege === "sudo";
    const proved: (() => void)[] = [];
    try {
      for (;;) {
        const { channel, connection, leave } = await this.#openChannel(
          options,
          performance.now() + options.timeoutMs,
        );
        channel.once("close", leave);
        // The first script on a connection finds out whether root can be had; the others wait, or a wrong password
        // would be tried as often as there are scripts.
        if (connection.proving === undefined) {
          connection.proving = new Promise((resolve) => proved.push(resolve));
        } else if (!connection.isProven && proved.length === 0) {
          await connection.proving;
          if (this.#refusal !== undefined) {
            channel.close();
            throw this.#refusal;
          }
        }
        const maxOutputBytes = holdInput
          ? MOST_OUTPUT_OF_HOLD_BYTES
          : (options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES);
        const conversation = new Conversation(channel, {
          script,
          privilege,
          password: mayUseSudo ? this.#sudoPassword : undefined,
          waitForReady: !connection.isProven,
          input: options.stdin,
          holdInput,
          onOutput,
          listen: options.listen,
          idleMs: this.#deadlines.idleMs,
          maxOutputBytes,
          flooded: () => connection.destroy("the host went on sending after it was told to stop"),
        });
        const leaveConnection = connection.onGone(() => conversation.connectionLost());
        void conversation.end.then((end) => {
          leaveConnection();
          if (end.is === "garbled") connection.destroy("the host does not keep to what was agreed");
          const lingerMs = end.is === "exited" ? LINGER_MS : 0;
          const timer = setTimeout(() => conversation.close(), lingerMs);
          channel.once("close", () => clearTimeout(timer));
        });
        const talk = { connection, conversation };
        await this.#untilReady(talk);
        if (!(await this.#learnsPassword(talk))) return talk;
      }
    } catch (error) {
      // The other hosts wait for what this one makes of the password.
      if (this.#typed?.is === "password") this.#typed.answered("unknown");
      throw error;
    } finally {
      for (const resolve of proved) resolve();
    }
  }

  get #sudoPassword(): Secret | undefined {
    return this.#settings.sudoPassword ?? (this.#typed?.is === "password" ? this.#typed.password : undefined);
  }

  /** Whether a password was typed after the host had asked for one: nothing ran, and the script may be sent again. */
  async #learnsPassword({ conversation, connection }: Begun): Promise<boolean> {
    const { denied } = conversation;
    if (this.#typed?.is === "password") {
      this.#typed.answered(conversation.isSent ? "taken" : denied === undefined ? "unknown" : "refused");
    }
    if (denied === undefined) return false;
    if (this.#sudoPassword !== undefined) {
      this.#refusal = this.#denial(denied);
      return false;
    }
    if (denied.tool !== "sudo" || denied.exitCode === NOT_INSTALLED) return false;
    const typed = await this.#typedBy(connection.user)?.for(this.host);
    if (typed?.is === "refused") {
      this.#refusal = new HostUnreachable(
        this.host,
        "privilege",
        `privilege: sudo wants a password. The one that was typed was refused by ${typed.by} and is not tried ` +
          `here: try again, or set ssh.sudo_password for each host.`,
      );
      throw this.#refusal;
    }
    if (typed?.is !== "password") return false;
    this.#typed = typed;
    return true;
  }

  /** Waits until the script is sent. Throws HostUnreachable when the host's shell does not get that far in time. */
  async #untilReady({ conversation, connection }: Begun): Promise<void> {
    if (conversation.isSent) return;
    const { shellMs } = this.#deadlines;
    let timer: Deadline | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = deadline(shellMs, () => resolve("late"));
    });
    const first = await Promise.race([conversation.ready, late]);
    timer?.clear();
    if (conversation.isSent) connection.isProven = true;
    else if (first === "late") {
      conversation.abandon();
      conversation.close();
      throw new HostUnreachable(
        this.host,
        "channel",
        `channel: the login shell did not get to run sh within ${shellMs / 1000} s. ` +
          `Does a start-up file (.bashrc, .profile, config.fish) wait for something, or sudo? Nothing was run.`,
        { mayPass: true },
      );
    }
  }

  async #within<T>(talk: Begun, result: Promise<T>, options: RunOptions): Promise<T> {
    let timer: Deadline | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = deadline(options.timeoutMs, () => {
        const after = `${options.timeoutMs / 1000} s`;
        const lost = this.#lost(
          options.during,
          `did not end within ${after}; it may still be running on the host`,
        );
        reject(lost);
        talk.conversation.abandon();
        talk.conversation.close();
      });
    });
    try {
      return await Promise.race([result, late]);
    } finally {
      timer?.clear();
    }
  }

  async #openChannel(options: RunOptions, deadlineMs: number): Promise<OpenChannel> {
    let connection = await this.#connect();
    let refusals = 0;
    let losses = 0;
    for (;;) {
      const leave = await this.#takePlace(connection, deadlineMs);
      try {
        const channel = await this.#exec(connection);
        this.#execs += 1;
        return { channel, connection, leave };
      } catch (error) {
        leave();
        if (error instanceof ConnectionEnded) {
          // Nothing ran: a connection that went stale between two scripts is simply made anew, once.
          losses += 1;
          if (losses > 1) throw this.#unreachable(`the connection was lost: ${error.message}`, error, true);
          connection = await this.#connect();
          continue;
        }
        if (!(error instanceof ChannelRefused)) throw error;
        if (error.reason === undefined) {
          this.#execs += 1;
          throw this.#unreachable(`the host does not let ${options.during} run: ${error.message}`, error);
        }
        refusals += 1;
        for (const talk of connection.talks) talk.giveWay();
        const others = connection.places.taken;
        if (others > 0 && others === connection.held && refusals >= 2) {
          // What is held keeps the only session that the host allows; the work goes over a second connection.
          if (this.#connection !== undefined && (await this.#connection) === connection)
            this.#connection = undefined;
          connection = await this.#connect();
          refusals = 0;
          continue;
        }
        if (performance.now() > deadlineMs || (others === 0 && refusals >= MOST_REFUSALS)) {
          throw this.#unreachable(
            `the host opens no session: ${error.message}. Raise MaxSessions in its sshd_config (10 is the default).`,
            error,
          );
        }
        await sleep(50 + Math.random() * 100 * refusals);
      }
    }
  }

  /** A place for one more channel, before the deadline. */
  async #takePlace(connection: Line, deadlineMs: number): Promise<() => void> {
    const place = connection.places.take();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), Math.max(0, deadlineMs - performance.now()));
    });
    const leave = await Promise.race([place, late]);
    clearTimeout(timer);
    if (leave !== undefined) return leave;
    void place.then((leaveAtOnce) => leaveAtOnce());
    throw this.#unreachable("the sessions to this host were all taken until the deadline");
  }

  async #exec(connection: Line): Promise<Channel> {
    const { channelMs } = this.#deadlines;
    const late = deadline(channelMs, () => connection.destroy(`no answer within ${channelMs / 1000} s`));
    try {
      return await connection.exec();
    } finally {
      late.clear();
    }
  }

  async #connect(): Promise<Line> {
    for (;;) {
      this.#ending.signal.throwIfAborted();
      if (this.#refusal !== undefined) throw this.#refusal;
      if (this.#connection === undefined) {
        const mine = this.#dialer.dial(this.host, this.#settings, this.#ending.signal).then((connection) => {
          this.#connections.add(connection);
          void connection.closed.then(() => this.#connections.delete(connection));
          return connection;
        });
        this.#connection = mine;
        mine.catch((error: unknown) => {
          if (this.#connection === mine) this.#connection = undefined;
          if (error instanceof HostUnreachable && error.stage === "authentication" && !error.mayPass)
            this.#refusal = error;
        });
      }
      const pending = this.#connection;
      const connection = await pending;
      if (connection.endedBecause === undefined) return connection;
      if (this.#connection === pending) this.#connection = undefined;
    }
  }

  #error(
    end: Exclude<ConversationEnd, { is: "exited" }>,
    { connection, conversation }: Begun,
    during: string,
  ): HostLost | HostUnreachable {
    switch (end.is) {
      case "denied":
        return this.#denial(end);
      case "not started": {
        if (end.exit === undefined) {
          return this.#unreachable(
            `the connection was lost before the script was sent: ${reasonOf(connection)}`,
            undefined,
            true,
          );
        }
        const said = end.said === "" ? "" : `; it said: ${end.said}`;
        return this.#unreachable(
          `the login shell ended with ${end.exit} before sh began${said}. Does the account have a usable login shell?`,
        );
      }
      case "cut":
        return this.#lost(during, `was cut off: ${reasonOf(connection)}; its outcome is unknown`);
      case "stalled":
        return this.#lost(
          during,
          `was given up: the host took nothing of what was sent for ${this.#deadlines.idleMs / 1000} s. ` +
            "Does its disk answer? It may still be running on the host",
        );
      case "too much output": {
        const most = showBytes(conversation.maxOutputBytes);
        return this.#lost(during, `was given up: the host printed more than ${most}; its outcome is unknown`);
      }
      case "garbled": {
        const endless =
          "Does a start-up file (.bashrc, .profile) print without end, or is the host not itself?";
        return conversation.isSent
          ? this.#lost(
              during,
              `was given up: what the host printed around it is not what its shell was told to print; its outcome is unknown. ${endless}`,
            )
          : this.#unreachable(
              `the host prints without end, and no script began. ${endless} Nothing was run.`,
            );
      }
    }
  }

  #denial(end: Denied): HostUnreachable {
    return new HostUnreachable(
      this.host,
      "privilege",
      `privilege: ${privilegeAdvice(end, this.#sudoPassword !== undefined)}`,
    );
  }

  #lost(during: string, what: string): HostLost {
    return new HostLost(this.host, during, `${during} ${what}`);
  }

  #unreachable(message: string, cause?: unknown, mayPass = false): HostUnreachable {
    return new HostUnreachable(this.host, "channel", `channel: ${message}`, { cause, mayPass });
  }
}

function showBytes(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / (1024 * 1024))} MiB`;
}

interface OpenChannel {
  readonly channel: Channel;
  readonly connection: Line;
  readonly leave: () => void;
}

interface Begun {
  readonly connection: Line;
  readonly conversation: Conversation;
}

function reasonOf(connection: Line): string {
  return connection.endedBecause ?? "the host closed the channel without saying how the script ended";
}
