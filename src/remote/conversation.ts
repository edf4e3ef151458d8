import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SshSettings } from "../inventory/ssh-settings.ts";
import { deadline } from "../own-time.ts";
import type { Secret } from "../secret.ts";
import { Frame } from "./frame.ts";
import type { Channel } from "./line.ts";
import type { ScriptInput } from "./remote.ts";

/**
 * The whole exec request, always the same: it means the same to sh, bash, fish and csh as a login shell, and
 * everything else goes over standard input. `read` takes one line byte by byte and leaves the rest alone.
 */
export const EXEC_COMMAND = `sh -c 'IFS= read -r program && eval "$(printf %b "$program")"'`;

const LOGIN_PROGRAM = asOneLine(readFileSync(new URL("./login.sh", import.meta.url), "utf8"));
const ROOT_PROGRAM = asOneLine(readFileSync(new URL("./root.sh", import.meta.url), "utf8"));

/** Root could not be had; nothing of the script ran. */
export interface Denied {
  readonly is: "denied";
  readonly tool: string;
  readonly uid: string;
  readonly exitCode: number;
  /** What the host said about it. */
  readonly said: string;
}

/** How a conversation over one exec channel ended. */
export type ConversationEnd =
  | {
      readonly is: "exited";
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
      readonly sentAtMs: number;
      readonly firstByteAtMs: number;
    }
  | Denied
  /** The channel closed before the script was sent; nothing of it ran. */
  | {
      readonly is: "not started";
      /** "code 1" or "signal SIGKILL"; undefined when the host did not say, for the connection was lost. */
      readonly exit: string | undefined;
      readonly said: string;
    }
  /** The channel closed after the script was sent and before its end mark came: outcome unknown. */
  | { readonly is: "cut" }
  /** The host took nothing of the script's input until the deadline: outcome unknown. */
  | { readonly is: "stalled" }
  | { readonly is: "too much output" }
  /** The stream cannot be that of root.sh: the start-up files print without end, or the host lies about the frame. */
  | { readonly is: "garbled" };

export interface ConversationRequest {
  readonly script: string;
  readonly privilege: SshSettings["privilege"];
  /** For sudo; undefined where none is to be given. */
  readonly password: Secret | undefined;
  /** Send the script only once the host says that a root shell is ready. Costs a round trip, and proves that nothing ran. */
  readonly waitForReady: boolean;
  readonly input: ScriptInput | undefined;
  /** Leave the script's standard input open until `closeInput`. */
  readonly holdInput: boolean;
  readonly maxOutputBytes: number;
  /** Called when the host goes on sending although the channel was closed. */
  readonly flooded: () => void;
  /** Takes the script's standard output while it comes; nothing of it is kept then. */
  readonly onOutput?: ((bytes: Buffer) => void) | undefined;
  /** Told the script's standard output while it comes; the end has all of it just the same. */
  readonly listen?: ((bytes: Buffer) => void) | undefined;
  /** How long the host may take nothing of the input. */
  readonly idleMs: number;
}

/** More than what may have been under way when the channel was closed. */
const MOST_LATE_BYTES = 16 * 1024 * 1024;

/** What is sent at a time: a host that takes so little before the deadline is slow, and not stuck. */
const PIECE_BYTES = 64 * 1024;

/** One script sent over one exec channel (see login.sh and root.sh for the other side). */
export class Conversation {
  readonly end: Promise<ConversationEnd>;
  /** Resolves with the first whole line of the script's output, or undefined when it ended without one. */
  readonly firstLine: Promise<string | undefined>;
  /** Resolves when the root shell reported that it is ready, or when the conversation ended without. */
  readonly ready: Promise<void>;
  denied: Denied | undefined;
  readonly #channel: Channel;
  readonly #request: ConversationRequest;
  readonly #nonce = randomBytes(16).toString("hex");
  /** Marks the script's own output. It goes to the root shell alone, and stands in no argument. */
  readonly #mark = randomBytes(16).toString("hex");
  readonly #stdout = new Frame(this.#mark);
  readonly #stderr = new Frame(this.#mark);
  readonly #denial = new RegExp(`${this.#nonce} DENIED (\\w+) (\\d*) (\\d+)\n`);
  #isSent = false;
  #isOver = false;
  #isClosed = false;
  #lateBytes = 0;
  #sentAtMs = 0;
  #firstByteAtMs: number | undefined;
  #hasFirstLine = false;
  #heardBytes = 0;
  #prompts = 0;
  #denied: { readonly tool: string; readonly uid: string; readonly exitCode: number } | undefined;
  #exit: string | undefined;
  #resolveEnd!: (end: ConversationEnd) => void;
  #resolveFirstLine!: (line: string | undefined) => void;
  #resolveReady!: () => void;
  #stopSending: (() => void) | undefined;
  #scriptSent: Promise<void> = Promise.resolve();

  constructor(channel: Channel, request: ConversationRequest) {
    this.#channel = channel;
    this.#request = request;
    this.end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    this.firstLine = new Promise((resolve) => {
      this.#resolveFirstLine = resolve;
    });
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    channel.on("data", (chunk: Buffer) => this.#onStdout(chunk));
    channel.stderr.on("data", (chunk: Buffer) => this.#onStderr(chunk));
    channel.on("error", () => {});
    // Not the exit event: a shell that ends at once has sent that before anybody could listen.
    channel.on("close", (code?: number | null, signal?: string) => {
      if (code === null) this.#exit = `signal ${signal ?? "unknown"}`;
      else if (code !== undefined) this.#exit = `code ${code}`;
      this.#onClose();
    });
    const password = request.password === undefined ? "none" : "password";
    channel.write(`${LOGIN_PROGRAM}\n${this.#nonce} ${request.privilege} ${password}\n`);
    // Behind a sudo that reads a password nothing may be in the way: it would be taken for the password.
    if (!request.waitForReady && request.password === undefined) this.#send();
  }

  /** True once a byte of the script may have reached the host. */
  get isSent(): boolean {
    return this.#isSent;
  }

  get maxOutputBytes(): number {
    return this.#request.maxOutputBytes;
  }

  /** Gives up: whatever still comes is ignored, and nothing more is sent. */
  abandon(): void {
    this.#finish({ is: "cut" });
  }

  /** Nothing more will come, and a channel of a lost connection need not say so. What has come is still read. */
  connectionLost(): void {
    setImmediate(() => this.#onClose());
  }

  /** Sends more of what the script reads. Resolves when the connection has taken it, or when that does not matter any more. */
  async send(bytes: Uint8Array): Promise<void> {
    // Nothing may be before the script itself.
    await this.#scriptSent;
    await this.#sendBytes(bytes);
  }

  closeInput(): void {
    this.#channel.end();
  }

  /** Closes the channel on this side. */
  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }

  #send(): void {
    if (this.#isSent || this.#isOver) return;
    this.#isSent = true;
    this.#resolveReady();
    const { script, input, holdInput } = this.#request;
    const whole = Buffer.from(`meshctl_script() { :; ${script}\n}\nmeshctl_script\n#`);
    const mode = input !== undefined || holdInput ? "open" : "closed";
    const channel = this.#channel;
    channel.write(`GO ${this.#nonce}\n${ROOT_PROGRAM}\n${whole.length} ${mode} ${this.#mark}\n`);
    this.#scriptSent = this.#sendBytes(whole.subarray(0, -1)).then(() => {
      if (this.#isOver) return;
      // The script cannot start before its last byte is there.
      this.#sentAtMs = performance.now();
      channel.write(whole.subarray(-1));
      if (input !== undefined) void this.#sendInput(input);
      else if (!holdInput) channel.end();
    });
  }

  async #sendBytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isOver; at += PIECE_BYTES)
      await this.#sendPiece(bytes.subarray(at, at + PIECE_BYTES));
  }

  async #sendInput(input: ScriptInput): Promise<void> {
    try {
      for await (const piece of typeof input === "string" || input instanceof Uint8Array ? [input] : input) {
        if (this.#isOver) return;
        await this.#sendBytes(typeof piece === "string" ? Buffer.from(piece) : piece);
      }
      if (!this.#isOver) this.#channel.end();
    } catch {
      // What feeds the script broke off: the script must not take what came for the whole.
      this.#finish({ is: "cut" });
    }
  }

  /** Resolves when the connection has taken the piece, or when that does not matter any more. */
  #sendPiece(piece: Uint8Array): Promise<void> {
    const late = deadline(this.#request.idleMs, () => this.#finish({ is: "stalled" }));
    return new Promise<void>((resolve) => {
      this.#stopSending = resolve;
      this.#channel.write(piece, () => resolve());
    }).finally(() => late.clear());
  }

  #onStdout(chunk: Buffer): void {
    if (this.#isOver) {
      this.#drop(chunk);
      return;
    }
    this.#stdout.push(chunk);
    if (!this.#stdout.began) {
      if (this.#stdout.sightings(`${this.#nonce} READY\n`) > 0) this.#send();
      const denied = this.#denied === undefined ? this.#denial.exec(this.#stdout.recent) : null;
      if (denied !== null) {
        const [, tool = "", uid = "", code = ""] = denied;
        this.#denied = { tool, uid, exitCode: Number(code) };
        // What sudo said travels on the other stream, and may still be on its way.
        setTimeout(() => this.#onClose(), 500).unref();
      }
    } else if (this.#firstByteAtMs === undefined && this.#stdout.spoke)
      this.#firstByteAtMs = performance.now();
    const { onOutput } = this.#request;
    if (onOutput !== undefined) {
      const bytes = this.#stdout.take();
      if (bytes.length > 0) onOutput(bytes);
    } else if (this.#request.holdInput && !this.#hasFirstLine) {
      const text = this.#stdout.payload();
      const newline = text.indexOf("\n");
      if (newline !== -1) {
        this.#hasFirstLine = true;
        this.#resolveFirstLine(text.subarray(0, newline).toString());
      }
    }
    this.#tell();
    this.#checkProgress();
  }

  /** What has come since the last time. */
  #tell(): void {
    const { listen } = this.#request;
    if (listen === undefined || this.#stdout.payloadBytes <= this.#heardBytes) return;
    listen(Buffer.from(this.#stdout.payload().subarray(this.#heardBytes)));
    this.#heardBytes = this.#stdout.payloadBytes;
  }

  #onStderr(chunk: Buffer): void {
    if (this.#isOver) {
      this.#drop(chunk);
      return;
    }
    this.#stderr.push(chunk);
    const password = this.#request.password;
    if (password !== undefined && !this.#isSent && !this.#stderr.began) {
      const before = this.#prompts;
      this.#prompts += this.#stderr.sightings(`${this.#nonce} PROMPT`);
      // Asked again, the password was wrong: with nothing more to read sudo gives up.
      if (before === 0 && this.#prompts === 1) this.#channel.write(`${password.reveal()}\n`);
      else if (before < 2 && this.#prompts >= 2) this.#channel.end();
    }
    this.#checkProgress();
  }

  #drop(chunk: Buffer): void {
    if (!this.#isClosed) return;
    const before = this.#lateBytes;
    this.#lateBytes += chunk.length;
    if (before <= MOST_LATE_BYTES && this.#lateBytes > MOST_LATE_BYTES) this.#request.flooded();
  }

  #checkProgress(): void {
    if (this.#stdout.isBroken || this.#stderr.isBroken) this.#finish({ is: "garbled" });
    else if (this.#stdout.payloadBytes + this.#stderr.payloadBytes > this.#request.maxOutputBytes) {
      this.#finish({ is: "too much output" });
    } else if (this.#stdout.exitCode !== undefined && this.#stderr.exitCode !== undefined) {
      this.#finishExited(this.#stdout.exitCode);
    }
  }

  #onClose(): void {
    if (this.#isOver) return;
    if (this.#stdout.exitCode !== undefined) this.#finishExited(this.#stdout.exitCode);
    else if (this.#denied !== undefined) this.#finish({ is: "denied", ...this.#denied, said: this.#said() });
    else if (this.#isSent) this.#finish({ is: "cut" });
    else this.#finish({ is: "not started", exit: this.#exit, said: this.#said() });
  }

  #finishExited(exitCode: number): void {
    this.#finish({
      is: "exited",
      exitCode,
      stdout: this.#stdout.payload().toString(),
      stderr: this.#stderr.payload().toString(),
      sentAtMs: this.#sentAtMs,
      firstByteAtMs: this.#firstByteAtMs ?? performance.now(),
    });
  }

  #finish(end: ConversationEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (end.is === "denied") this.denied = end;
    this.#stopSending?.();
    this.#resolveEnd(end);
    this.#resolveFirstLine(undefined);
    this.#resolveReady();
  }

  /** What the host itself said before the script, fit for one line of a message. */
  #said(): string {
    const lines = `${this.#stderr.prelude}\n${this.#stdout.prelude}`
      .replaceAll(`${this.#nonce} PROMPT `, "")
      .split("\n")
      .filter((line) => !line.includes(this.#nonce))
      // Text from a host must not steer the terminal.
      .map((line) => line.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim())
      .filter((line) => line !== "");
    return lines.slice(-3).join("; ").slice(0, 300);
  }
}

/** A shell program as one line for `printf %b`: whole-line comments left out, line breaks and backslashes encoded. */
function asOneLine(program: string): string {
  return program
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n")
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n");
}
