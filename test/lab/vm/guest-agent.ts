import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../run.ts";
import { converse, type Message } from "./json-lines.ts";

const answerMs = 20_000;
/** exec.sh's environment, for what runs in a virtual machine. */
const environment = [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "LC_ALL=C.UTF-8",
];

/** Orders to the qemu-guest-agent of one machine, which takes one caller at a time: the only way in without a network. */
export class GuestAgent {
  readonly #socketFile: string;
  #last: Promise<unknown> = Promise.resolve();
  #calls = 0;

  constructor(socketFile: string) {
    this.#socketFile = socketFile;
  }

  /** Runs a shell script as root to its end. Rejects when nobody answers. */
  async run(script: string, input: string, timeoutMs: number): Promise<Outcome> {
    const seconds = `${timeoutMs / 1000}s`;
    const { pid } = (await this.#ask("guest-exec", {
      path: "/usr/bin/env",
      arg: ["-i", ...environment, "timeout", "--signal=KILL", seconds, "sh", "-c", script],
      "input-data": Buffer.from(input).toString("base64"),
      "capture-output": true,
    })) as { pid: number };
    for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, 1_000)) {
      const status = (await this.#ask("guest-exec-status", { pid })) as ExecStatus;
      if (status.exited) {
        const text = (data = "") => Buffer.from(data, "base64").toString("utf8");
        const code = status.exitcode ?? 128 + (status.signal ?? 0);
        return { code, stdout: text(status["out-data"]), stderr: text(status["err-data"]) };
      }
      await sleep(pauseMs);
    }
  }

  #ask(execute: string, args: Message): Promise<unknown> {
    const id = process.pid * 1_000 + (this.#calls++ % 1_000);
    const asked = this.#last.then(() =>
      converse(this.#socketFile, answerMs, async ({ say, hear }) => {
        // An earlier caller may have left before its answer came.
        say({ execute: "guest-sync", arguments: { id } });
        await hear((message) => message.return === id);
        say({ execute, arguments: args });
        const answer = await hear((message) => "return" in message || "error" in message);
        if ("error" in answer) throw new Error(`${execute}: ${JSON.stringify(answer.error)}`);
        return answer.return;
      }),
    );
    this.#last = asked.catch(() => {});
    return asked;
  }
}

interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
  readonly "out-data"?: string;
  readonly "err-data"?: string;
}
