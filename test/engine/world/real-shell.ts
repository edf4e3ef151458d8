import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Held } from "../../../src/remote/remote.ts";
import { MOVED, type Shell } from "./shell.ts";

/** Programs that would change this machine. apt-get only tells what it was asked for. */
const STUBS = {
  dpkg: ":",
  "apt-get": 'printf "%s\\n" "$*" >>"$HOME/apt-get"; echo "$http_proxy" >"$HOME/proxy"',
};

/** A real `sh` whose HOME is the host's folder. */
export class RealShell implements Shell {
  readonly #directory: string;
  #count = 0;

  constructor(directory: string) {
    this.#directory = directory;
    const bin = join(directory, "bin");
    for (const each of [bin, join(directory, "usr/sbin")]) mkdirSync(each, { recursive: true });
    for (const [name, text] of Object.entries(STUBS)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
  }

  async run(script: string): ReturnType<Shell["run"]> {
    const child = this.#spawn(script);
    child.stdin.end();
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    const exitCode = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
    return { exitCode, stdout: this.#asTheHost(await stdout), stderr: this.#asTheHost(await stderr) };
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

  /** With the paths that the host calls them by. */
  #asTheHost(said: string): string {
    return MOVED.reduce((text, path) => text.replaceAll(`${this.#directory}${path}`, path), said);
  }

  #spawn(script: string) {
    const local = MOVED.reduce((moved, path) => moved.replaceAll(path, `${this.#directory}${path}`), script);
    this.#count += 1;
    const file = join(this.#directory, `script-${this.#count}.sh`);
    writeFileSync(file, local);
    return spawn("sh", [file], {
      env: {
        PATH: `${join(this.#directory, "bin")}:${process.env.PATH}`,
        HOME: this.#directory,
        LC_ALL: "C",
      },
    });
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += String(chunk);
  return all;
}
