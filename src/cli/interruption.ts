import { commandLine } from "../command-line.ts";
import type { HostOutcome, MadeChange, RunEvent } from "../engine/events.ts";
import { EXIT } from "../engine/exit-code.ts";
import type { HostName } from "../inventory/view.ts";
import { maskSecrets } from "../secret.ts";

interface InterruptionOptions {
  readonly report: (event: RunEvent) => void;
  readonly execsOf: (host: HostName) => number;
  /** Words after "meshctl". */
  readonly argv?: readonly string[];
  readonly exit?: (code: number) => void;
}

/** What is known of a host when the run is dropped. */
interface Known {
  failure?: string;
  underWay?: MadeChange;
  readonly changed: MadeChange[];
}

/**
 * What ^C does. Once: no new change is begun, those under way are finished and proved. A second time, or where
 * nothing is being changed: the run is dropped, and its summary says of which hosts the outcome is unknown.
 */
export class Interruption {
  readonly #options: InterruptionOptions;
  readonly #stop = new AbortController();
  readonly #hosts = new Map<HostName, Known>();
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
    if (event.event === "run") for (const host of event.hosts) this.#hosts.set(host, { changed: [] });
    // From the first step on hosts are being changed, and there is something to finish.
    if (event.event === "step") this.#mayFinish = true;
    if (event.event === "changing") this.#known(event.host).underWay = madeChange(event);
    if (event.event === "failed") this.#known(event.host).failure = `${event.step}: ${event.because}`;
    if (event.event === "changed") {
      const known = this.#known(event.host);
      delete known.underWay;
      known.changed.push(madeChange(event));
    }
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
    const { report, exit = (code) => process.exit(code) } = this.#options;
    const hosts = [...this.#hosts].map(([host, known]) => this.#outcome(host, known));
    const unknown = hosts.filter(({ unproven }) => unproven.length > 0).map(({ host }) => host);
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

  #outcome(host: HostName, { failure, underWay, changed }: Known): HostOutcome {
    const unproven = underWay === undefined ? [] : [underWay];
    const base = { host, changed, unproven, execs: this.#options.execsOf(host) };
    if (failure !== undefined) return { ...base, is: "failed", because: failure };
    const because =
      underWay === undefined
        ? "the run was dropped"
        : `${underWay.step}: the run was dropped while ${underWay.change} was under way: its outcome is unknown`;
    return { ...base, is: "interrupted", because };
  }

  /** The command line that was typed, as it would be typed again. */
  #again(): string {
    const { argv = process.argv.slice(2) } = this.#options;
    return maskSecrets(commandLine("meshctl", ...argv));
  }

  #known(host: HostName): Known {
    const known = this.#hosts.get(host) ?? { changed: [] };
    this.#hosts.set(host, known);
    return known;
  }
}

function madeChange({ step, change }: RunEvent & { event: "changing" | "changed" }): MadeChange {
  return { step, change: change.id, why: change.why };
}
