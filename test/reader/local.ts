import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { HostLost } from "../../src/errors.ts";
import type { Talk, TalkOptions } from "../../src/remote/remote.ts";

/** What a host's `talk` is, over a process of this machine. */
function talkWith(child: ChildProcess, { during, onOutput }: TalkOptions): Talk {
  let said = "";
  child.stdout!.on("data", onOutput);
  child.stderr!.on("data", (chunk) => {
    said += chunk;
  });
  child.stdin!.on("error", () => {});
  const ended = new Promise<HostLost>((resolve) =>
    child.on("close", (code, signal) =>
      resolve(new HostLost("here", during, `${during} ended with exit code ${code ?? signal}: ${said}`)),
    ),
  );
  return {
    ended,
    send: (bytes) => new Promise((resolve) => child.stdin!.write(bytes, () => resolve())),
    async close() {
      child.stdin!.end();
      await ended;
    },
  };
}

/** The modules of the package perl-base, which is on every Debian; there are more on this machine. */
const PERL_BASE = readdirSync("/usr/lib")
  .map((name) => `/usr/lib/${name}/perl-base`)
  .find((path) => existsSync(path))!;

/** This machine as a host, for the reader; perl has the modules of perl-base alone. */
export class LocalHost {
  readonly children: ChildProcess[] = [];
  readonly #environment: Readonly<Record<string, string>>;

  readonly #before: string;

  /** `before` is shell that is run in a mount namespace of the reader's own. */
  constructor(environment: Readonly<Record<string, string>> = {}, before = "") {
    this.#environment = environment;
    this.#before = before;
  }

  async talk(script: string, options: TalkOptions): Promise<Talk> {
    const pinned = script.replace(
      "/usr/bin/perl ",
      `/usr/bin/perl -e 'BEGIN { @INC = ("${PERL_BASE}") } ' -e '' `,
    );
    if (pinned === script) throw new Error("perl is not started as this expects");
    const sh =
      this.#before === ""
        ? ["sh", "-c", pinned]
        : ["unshare", "-m", "sh", "-c", `${this.#before}\n${pinned}`];
    const child = spawn(sh[0]!, sh.slice(1), {
      cwd: "/",
      env: { PATH: process.env.PATH, HOME: "/root", LC_ALL: "C", ...this.#environment },
    });
    this.children.push(child);
    return talkWith(child, options);
  }
}
