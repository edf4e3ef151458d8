import type { HostName } from "../contract/inventory-view.ts";
import type { HostLost, HostUnreachable } from "../errors.ts";
import type { SshSettings } from "../inventory/ssh-settings.ts";

/** How a script on a host ended. Only a script that really exited has an outcome; anything else is HostLost. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /**
   * When the script's last byte was about to be sent, and when the first byte of its own output came back, both by
   * performance.now(): the script started after the one and before the other.
   */
  readonly sentAtMs: number;
  readonly firstByteAtMs: number;
}

/** What a script may read from its standard input. A stream that throws breaks the run off: HostLost. */
export type ScriptInput = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface RunOptions {
  /** What is being done, for error messages: "sysctl: write 99-zz-meshctl.conf". */
  readonly during: string;
  /** Deadline for the whole script. On expiry the channel is dropped and HostLost thrown. */
  readonly timeoutMs: number;
  /**
   * Largest output, both streams together: a script that prints more is HostLost at once. Default 4 MiB, as for one
   * look at a host. What is held may print 4 KiB.
   */
  readonly maxOutputBytes?: number;
  /**
   * What the script reads from its standard input; without it that is /dev/null. When the connection breaks the
   * script sees an early end of file: a script that keeps what it reads must check its digest.
   */
  readonly stdin?: ScriptInput;
  /** Told what the script prints to its standard output while it comes; the outcome has all of it just the same. */
  readonly listen?: ((bytes: Buffer) => void) | undefined;
}

/** Something a script holds on a host for as long as it runs. */
export interface Held {
  readonly firstLine: string;
  /** False once released, or once the script or the connection ended by itself. */
  readonly isHeld: boolean;
  /**
   * Ends the script's standard input and waits until it is gone, at most five seconds. Never throws. Resolves to whether
   * the script was seen to end: not when that took longer, nor when the connection was lost.
   */
  release(): Promise<boolean>;
}

export interface TalkOptions {
  /** What is being done, for error messages. */
  readonly during: string;
  /** Until the program has been sent. */
  readonly timeoutMs: number;
  /** Takes what the program prints, as it comes. */
  readonly onOutput: (bytes: Buffer) => void;
  /**
   * The host grants too few sessions (MaxSessions), and another one is waited for: the talk should be closed as soon as
   * it can be. It may be told more than once.
   */
  readonly giveWay: () => void;
}

/** A program that runs on a host as long as one talks with it. */
export interface Talk {
  /** Resolves when the connection has taken the bytes, or when the talk has ended. Never rejects. */
  send(bytes: Uint8Array): Promise<void>;
  /** Resolves with the reason when the program, its channel or the connection has ended. Never rejects. */
  readonly ended: Promise<HostLost | HostUnreachable>;
  /** Ends the program's standard input and waits until it is gone, at most five seconds. Never throws. */
  close(): Promise<void>;
}

/** A host one can run scripts on as root. Connects lazily, at the first `run`, and stays connected. */
export interface Remote {
  readonly host: HostName;
  /** How many exec requests were sent so far. */
  readonly execs: number;
  /**
   * Runs POSIX sh text as root, sent over standard input (never in argv), in a clean environment, in "/", with umask
   * 022 and standard input from /dev/null. The host reads all of the text before any of it runs.
   * Throws HostUnreachable (nothing ran) or HostLost (outcome unknown).
   */
  run(script: string, options: RunOptions): Promise<Outcome>;
  /**
   * Runs a script that holds something (a lock) until released. Resolves when it printed a first line, within
   * `timeoutMs`. The script's standard input stays open until `release()` or until the connection is lost, so it
   * holds by reading to the end: `flock -n 9 && echo held && cat >/dev/null`.
   * Throws CommandFailed when it ends without having printed a line, HostUnreachable and HostLost as `run` does.
   */
  hold(script: string, options: RunOptions): Promise<Held>;
  /** The same host over a connection of its own, which is made when it is first needed. The caller ends it. */
  anew(): Remote;
  /**
   * Runs a script that one talks with: what it prints comes as it prints it, and what is sent is its standard input.
   * Ends with the connection. Throws HostUnreachable when nothing ran, HostLost when that is not known.
   */
  talk(script: string, options: TalkOptions): Promise<Talk>;
  /** Ends the session. Never throws. */
  end(): Promise<void>;
}

export type OpenRemote = (host: HostName, settings: SshSettings) => Remote;
