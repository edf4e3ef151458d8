import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HostLost, HostUnreachable } from "../../../src/errors.ts";
import type { Held, Outcome, Remote, RunOptions, Talk, TalkOptions } from "../../../src/remote/remote.ts";
import { ToldTalk } from "../../reader/told-talk.ts";
import { FolderReading } from "./told-look.ts";

/** Paths that scripts of the engine have for themselves; each host has its own below its folder. */
const MOVED = ["/run/meshctl", "/var/lib/meshctl", "/usr/sbin/policy-rc.d"];

/** Programs that would change this machine. apt-get only tells what it was asked for. */
const STUBS = {
  dpkg: ":",
  "apt-get": 'printf "%s\\n" "$*" >>"$HOME/apt-get"; echo "$http_proxy" >"$HOME/proxy"',
};

/** A host that is a folder on this machine: scripts really run, in a real `sh`; what is read is told (see told-look.ts). */
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
  #talk: Talk | undefined;
  #fault: HostLost | HostUnreachable | undefined;

  constructor(host: string, directory: string) {
    this.host = host;
    this.directory = directory;
    const bin = join(directory, "bin");
    mkdirSync(bin, { recursive: true });
    for (const [name, text] of Object.entries(STUBS)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
  }

  async run(script: string, options: RunOptions): Promise<Outcome> {
    this.execs += 1;
    this.during.push(options.during);
    await this.delay(options.during);
    const before = this.faultBefore(options.during);
    if (before !== undefined) throw before;
    const sentAtMs = performance.now();
    const child = this.#spawn(script);
    child.stdin.end();
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    const exitCode = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
    const after = this.faultAfter(options.during);
    if (after !== undefined) throw after;
    return {
      exitCode,
      stdout: await stdout,
      stderr: await stderr,
      sentAtMs,
      firstByteAtMs: performance.now(),
    };
  }

  async hold(script: string): Promise<Held> {
    const child = this.#spawn(script);
    const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
    let isHeld = true;
    void ended.then(() => {
      isHeld = false;
    });
    const firstLine = await new Promise<string>((resolve) =>
      child.stdout.once("data", (data) => resolve(String(data).split("\n")[0]!)),
    );
    return {
      firstLine,
      get isHeld() {
        return isHeld;
      },
      async release() {
        child.stdin.end();
        await ended;
        return true;
      },
    };
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

  #spawn(script: string) {
    const local = MOVED.reduce((moved, path) => moved.replaceAll(path, `${this.directory}${path}`), script);
    mkdirSync(join(this.directory, "usr/sbin"), { recursive: true });
    const file = join(this.directory, `script-${this.execs}.sh`);
    writeFileSync(file, local);
    return spawn("sh", [file], {
      env: { PATH: `${join(this.directory, "bin")}:${process.env.PATH}`, HOME: this.directory, LC_ALL: "C" },
    });
  }
}

export const unreachable = (host: string) =>
  new HostUnreachable(host, "connect", "connect: nobody answers on port 22");

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += String(chunk);
  return all;
}
