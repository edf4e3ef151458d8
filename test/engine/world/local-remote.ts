import type { HostLost } from "../../../src/errors.ts";
import { HostUnreachable } from "../../../src/errors.ts";
import type { Held, Outcome, Remote, RunOptions, Talk, TalkOptions } from "../../../src/remote/remote.ts";
import { ToldTalk } from "../../reader/told-talk.ts";
import type { Shell } from "./shell.ts";
import { FolderReading } from "./told-look.ts";
import { ToldShell } from "./told-shell.ts";

/** A host that is a folder on this machine: what is read is told (told-look.ts), and what scripts do (told-shell.ts). */
export class LocalRemote implements Remote {
  readonly host: string;
  readonly directory: string;
  /** Every script that was run and every "observation", for what was done and in which order. */
  readonly during: string[] = [];
  /** Waited for before a script runs. */
  delay: (during: string) => Promise<unknown> | undefined = () => undefined;
  /** Throws in place of a script, or after it ran. */
  faultBefore: (during: string) => Error | undefined = () => undefined;
  faultAfter: (during: string) => Error | undefined = () => undefined;
  execs = 0;
  shell: Shell;
  #talk: Talk | undefined;
  #fault: HostLost | HostUnreachable | undefined;

  constructor(host: string, directory: string) {
    this.host = host;
    this.directory = directory;
    this.shell = new ToldShell(directory);
  }

  async run(script: string, options: RunOptions): Promise<Outcome> {
    this.execs += 1;
    this.during.push(options.during);
    await this.delay(options.during);
    const before = this.faultBefore(options.during);
    if (before !== undefined) throw before;
    const sentAtMs = performance.now();
    const ended = await this.shell.run(script);
    const after = this.faultAfter(options.during);
    if (after !== undefined) throw after;
    return { ...ended, sentAtMs, firstByteAtMs: performance.now() };
  }

  hold(script: string): Promise<Held> {
    return this.shell.hold(script);
  }

  /** What is run over it has "anew: " before what it is. */
  anew(): Remote {
    return {
      host: this.host,
      execs: 0,
      run: (script, options) => this.run(script, { ...options, during: `anew: ${options.during}` }),
      hold: (script) => this.hold(script),
      talk: (script, options) => this.talk(script, options),
      anew: () => this.anew(),
      end: () => this.end(),
    };
  }

  async talk(_script: string, options: TalkOptions): Promise<Talk> {
    this.execs += 1;
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
    const reading = new FolderReading(this.directory);
    this.#talk = new ToldTalk(options, reading.tell, async (questions) => {
      if (reading.begins(questions)) this.#fault = await this.#begin();
      return this.#fault;
    });
    return this.#talk;
  }

  /** A run begins: over a connection of its own. */
  async connectAnew(): Promise<void> {
    this.execs = 0;
    await this.#talk?.close();
    this.#talk = undefined;
  }

  /** A look, which is lost when there is an error: nobody can talk with the host again then, for once. */
  async #begin(): Promise<HostLost | HostUnreachable | undefined> {
    this.during.push("observation");
    await this.delay("observation");
    return (this.faultBefore("observation") ?? this.faultAfter("observation")) as HostLost | undefined;
  }

  async end(): Promise<void> {}
}

export const unreachable = (host: string) =>
  new HostUnreachable(host, "connect", "connect: nobody answers on port 22");
