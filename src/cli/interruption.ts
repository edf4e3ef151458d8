import { commandLine } from "../command-line.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { HostOutcome, RunEvent } from "../engine/events.ts";
import { EXIT } from "../engine/exit-code.ts";
import type { Ledger } from "../engine/ledger.ts";
import { maskSecrets } from "../secret.ts";
import { onDeparture } from "./departure.ts";
import { guardAgainstFaults } from "./fault.ts";

interface InterruptionOptions {
  /** What the run has done so far. */
  readonly ledger: Ledger;
  readonly report: (event: RunEvent) => void;
  readonly execsOf: (host: HostName) => number;
  /** Writes to standard error. */
  readonly say?: (text: string) => void;
  /** Words after "meshctl". */
  readonly argv?: readonly string[];
  readonly exit?: (code: number) => void;
}

/** After a fault of ours: how long the run may take to end by itself once nothing is under way, and at most. */
const IDLE_MS = 60_000;
const MOST_MS = 1_800_000;

/**
 * What ^C does. Once: no new change is begun, those under way are finished and proved. A second time, or where
 * nothing is being changed: the run is dropped, and its summary says of which hosts the outcome is unknown. The first of
 * it is also done when nobody reads any more, and after a fault of ours that is no single host's.
 */
export class Interruption {
  readonly #options: InterruptionOptions;
  readonly #stop = new AbortController();
  #hosts: readonly HostName[] = [];
  readonly #startedAtMs = performance.now();
  #mayFinish = false;
  #isOver = false;
  #unwatch: readonly (() => void)[] = [];

  readonly #say: (text: string) => void;

  constructor(options: InterruptionOptions) {
    this.#options = options;
    this.#say = options.say ?? ((text) => process.stderr.write(text));
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
    // Nothing is left that could end the run: a fault of ours lost its promise.
    process.on("beforeExit", this.#drop);
    this.#unwatch = [
      onDeparture(this.finish),
      guardAgainstFaults(() => {
        this.finish();
        this.#dropWhenIdle();
      }, this.#say),
    ];
  }

  unwatch(): void {
    process.off("SIGINT", this.interrupt);
    process.off("SIGTERM", this.interrupt);
    process.off("beforeExit", this.#drop);
    for (const unwatch of this.#unwatch) unwatch();
  }

  see(event: RunEvent): void {
    if (event.event === "run") this.#hosts = event.hosts;
    // From the first step on hosts are being changed, and there is something to finish.
    if (event.event === "step") this.#mayFinish = true;
    if (event.event === "summary") this.#isOver = true;
  }

  /** The first ^C, whose second this never is. */
  readonly finish = (): void => {
    if (!this.#isOver && !this.#stop.signal.aborted) this.interrupt();
  };

  readonly interrupt = (): void => {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort();
      if (this.#mayFinish) {
        this.#say("\nStopping: no new change is begun, those under way end. ^C again drops them.\n");
        return;
      }
    }
    this.#drop();
  };

  /** A fault of ours may have taken with it what would end the run. */
  #dropWhenIdle(): void {
    const startedAtMs = performance.now();
    let busyAtMs = startedAtMs;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const { ledger } = this.#options;
      const isBusy = this.#hosts.some(
        (host) => ledger.underWay(host) !== undefined && ledger.failureOf(host) === undefined,
      );
      if (isBusy) busyAtMs = nowMs;
      if (this.#isOver) clearInterval(timer);
      else if (nowMs - busyAtMs > IDLE_MS || nowMs - startedAtMs > MOST_MS) this.#drop();
    }, 1000);
  }

  /** The summary of a run that ended before its own; nothing where it had that. */
  summarise(exitCode: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const hosts = this.#hosts.map((host) => this.#outcome(host));
    const durationMs = performance.now() - this.#startedAtMs;
    this.#options.report({ event: "summary", exitCode, hosts, durationMs });
  }

  readonly #drop = (): void => {
    const { ledger, exit = (code) => process.exit(code) } = this.#options;
    const unknown = this.#hosts.filter((host) => ledger.underWay(host) !== undefined);
    this.summarise(EXIT.interrupted);
    this.#say(
      unknown.length === 0
        ? "\nDropped; nothing was under way.\n"
        : `\nDropped. What became of ${unknown.join(", ")} is unknown; this looks again and goes on: ${this.#again()}\n`,
    );
    exit(EXIT.interrupted);
  };

  #outcome(host: HostName): HostOutcome {
    const { ledger, execsOf } = this.#options;
    const underWay = ledger.underWay(host);
    const because =
      underWay === undefined
        ? "the run was dropped"
        : `${underWay.step}: the run was dropped while ${underWay.change} was under way: its outcome is unknown`;
    return ledger.outcome(host, { is: "interrupted", because }, execsOf(host));
  }

  /** Of a run that was stopped and ended by itself. */
  tellHowToGoOn(): void {
    if (this.#stop.signal.aborted && this.#mayFinish)
      this.#say(`\nStopped. This looks again and goes on: ${this.#again()}\n`);
  }

  /** The command line that was typed, as it would be typed again. */
  #again(): string {
    const { argv = process.argv.slice(2) } = this.#options;
    return maskSecrets(commandLine("meshctl", ...argv));
  }
}
