import { commandLine } from "../command-line.ts";
import type { HostOutcome, RunEvent } from "../engine/events.ts";
import { EXIT } from "../engine/exit-code.ts";
import type { Ledger } from "../engine/ledger.ts";
import type { HostName } from "../inventory/view.ts";
import { maskSecrets } from "../secret.ts";

interface InterruptionOptions {
  /** What the run has done so far. */
  readonly ledger: Ledger;
  readonly report: (event: RunEvent) => void;
  readonly execsOf: (host: HostName) => number;
  /** Words after "meshctl". */
  readonly argv?: readonly string[];
  readonly exit?: (code: number) => void;
}

/**
 * What ^C does. Once: no new change is begun, those under way are finished and proved. A second time, or where
 * nothing is being changed: the run is dropped, and its summary says of which hosts the outcome is unknown.
 */
export class Interruption {
  readonly #options: InterruptionOptions;
  readonly #stop = new AbortController();
  #hosts: readonly HostName[] = [];
  readonly #startedAtMs = performance.now();
  #mayFinish = false;

  constructor(options: InterruptionOptions) {
    this.#options = options;
  }

  /** Aborted once no new change may be begun. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  stop(): void {
    this.#stop.abort();
  }

  watch(): void {
    process.on("SIGINT", this.interrupt);
    process.on("SIGTERM", this.interrupt);
  }

  unwatch(): void {
    process.off("SIGINT", this.interrupt);
    process.off("SIGTERM", this.interrupt);
  }

  see(event: RunEvent): void {
    if (event.event === "run") this.#hosts = event.hosts;
    // From the first step on hosts are being changed, and there is something to finish.
    if (event.event === "step") this.#mayFinish = true;
  }

  readonly interrupt = (): void => {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort();
      if (this.#mayFinish) {
        process.stderr.write(
          "\nStopping: no new change is begun, those under way are finished. ^C again drops them.\n",
        );
        return;
      }
    }
    this.#drop();
  };

  #drop(): void {
    const { report, ledger, exit = (code) => process.exit(code) } = this.#options;
    const hosts = this.#hosts.map((host) => this.#outcome(host));
    const unknown = this.#hosts.filter((host) => ledger.underWay(host) !== undefined);
    report({
      event: "summary",
      exitCode: EXIT.interrupted,
      hosts,
      durationMs: performance.now() - this.#startedAtMs,
    });
    process.stderr.write(
      unknown.length === 0
        ? "\nDropped; nothing was under way.\n"
        : `\nDropped. What became of ${unknown.join(", ")} is unknown; this looks again and goes on: ${this.#again()}\n`,
    );
    exit(EXIT.interrupted);
  }

  #outcome(host: HostName): HostOutcome {
    const { ledger, execsOf } = this.#options;
    const underWay = ledger.underWay(host);
    const because =
      underWay === undefined
        ? "the run was dropped"
        : `${underWay.step}: the run was dropped while ${underWay.change} was under way: its outcome is unknown`;
    return ledger.outcome(host, { is: "interrupted", because }, execsOf(host));
  }

  /** The command line that was typed, as it would be typed again. */
  #again(): string {
    const { argv = process.argv.slice(2) } = this.#options;
    return maskSecrets(commandLine("meshctl", ...argv));
  }
}
