import type { ChalkInstance } from "chalk";
import type { RunEvent } from "../../engine/events.ts";
import { maskSecrets } from "../../secret.ts";
import { shownData } from "../shown.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * Says what happens, on standard error: a line for each thing done, and on a terminal one live line below them with
 * what is under way. At most ten redraws a second.
 */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #paint: ChalkInstance;
  readonly #live: boolean;
  readonly #verbose: boolean;
  readonly #active = new Map<string, { text: string; since: number }>();
  readonly #unreached = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;
  #drawn = false;
  #paused = false;
  #asking: Promise<unknown> = Promise.resolve();

  constructor(stream: NodeJS.WriteStream, options: { paint: ChalkInstance; verbose: boolean }) {
    this.#stream = stream;
    this.#paint = options.paint;
    this.#verbose = options.verbose;
    this.#live = stream.isTTY === true;
  }

  readonly see = (happened: RunEvent): void => {
    const event = shownData(happened);
    const paint = this.#paint;
    switch (event.event) {
      case "run":
        for (const host of event.hosts) this.#begin(host, "looking");
        break;
      case "observed":
        this.#active.delete(event.host);
        if (this.#verbose)
          this.#line(`${paint.dim("·")} ${event.host} looked at in ${seconds(event.durationMs)}`);
        break;
      case "unreachable":
        this.#active.delete(event.host);
        this.#unreached.set(event.host, event.error.message);
        this.#line(`${paint.red("✗")} ${paint.bold(event.host)} ${firstSentence(event.error.message)}`);
        break;
      case "step":
        this.#line(`${paint.cyan("──")} ${paint.bold(event.step)} ${paint.dim(event.title)}`);
        break;
      case "changing":
        this.#begin(event.host, `${event.step} · ${event.change.id}`);
        if (!this.#live)
          this.#line(`   ${event.host} ${event.step} · ${event.change.id}: ${event.change.why}`);
        break;
      case "waiting":
        this.#wait(event);
        break;
      case "changed":
        this.#active.delete(event.host);
        this.#line(
          `   ${paint.green("✓")} ${event.host} ${event.step} · ${event.change.id} ${paint.dim(`${seconds(event.durationMs)}, found: ${event.change.why}`)}`,
        );
        break;
      case "failed":
        this.#active.delete(event.host);
        this.#line(`   ${paint.red("✗")} ${paint.bold(`${event.host} · ${event.step}`)}: ${event.because}`);
        if (event.output) this.#line(event.output.replace(/^/gm, "       "));
        break;
      case "putting-back":
        this.#begin(event.host, `${event.step} · putting the old configuration back`);
        this.#line(
          `   ${paint.yellow("↩")} ${event.host} ${event.step} · does not come up, putting back ${event.files.join(", ")}`,
        );
        break;
      case "note":
        this.#line(`${event.host === undefined ? "" : `${event.host} `}${event.text}`);
        break;
      case "summary":
        this.end();
        // The summary tells the whole of its hosts; of peers that are only looked at nobody else does.
        for (const [host, message] of this.#unreached)
          if (!event.hosts.some((outcome) => outcome.host === host) && firstSentence(message) !== message)
            this.#line(`${paint.bold(host)} ${message}`);
        break;
    }
  };

  /** Clears the live line, for a question or at the end. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#active.clear();
    this.#erase();
  }

  /** Asks a question while the live line is away. Questions come one after another. */
  pause<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#asking.then(async () => {
      this.#paused = true;
      this.#erase();
      try {
        return await ask();
      } finally {
        this.#paused = false;
      }
    });
    this.#asking = asked.catch(() => {});
    return asked;
  }

  #begin(host: string, text: string, keep = false): void {
    const since = keep ? (this.#active.get(host)?.since ?? performance.now()) : performance.now();
    this.#active.set(host, { text, since });
    if (this.#live && this.#timer === undefined) {
      this.#timer = setInterval(() => this.#draw(), 100);
      this.#timer.unref();
    }
  }

  #wait({ host, step, because }: RunEvent & { event: "waiting" }): void {
    const text = step === undefined ? `is waited for: ${because}` : `${step} waits: ${because}`;
    // Where nothing is redrawn, a host that is waited for is named once for each reason.
    if (step === undefined && !this.#live && this.#active.get(host)?.text !== text)
      this.#line(`${host} ${text}`);
    this.#begin(host, text, true);
  }

  #line(text: string): void {
    this.#erase();
    this.#stream.write(`${maskSecrets(text)}\n`);
  }

  #erase(): void {
    if (this.#drawn) this.#stream.write("\r\u001b[2K");
    this.#drawn = false;
  }

  #draw(): void {
    this.#erase();
    if (this.#active.size === 0 || this.#paused) return;
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const now = performance.now();
    const parts = underWay(this.#active).map(
      ({ hosts, text, since }) => `${hosts} ${text} ${seconds(now - since)}`,
    );
    const line = `${FRAMES[this.#frame]} ${maskSecrets(parts.join("  │  "))}`;
    // Room for the ^C that a terminal writes behind it: a line that wraps could not be erased.
    this.#stream.write(line.slice(0, (this.#stream.columns ?? 80) - 3));
    this.#drawn = true;
  }
}

/** What is under way: hosts that do the same thing share an entry, which tells the longest time. */
function underWay(active: ReadonlyMap<string, { text: string; since: number }>) {
  const shared = new Map<string, { hosts: string[]; since: number }>();
  for (const [host, { text, since }] of active) {
    const entry = shared.get(text);
    shared.set(text, {
      hosts: [...(entry?.hosts ?? []), host],
      since: Math.min(since, entry?.since ?? since),
    });
  }
  return [...shared].map(([text, { hosts, since }]) => ({
    hosts: hosts.length > 3 ? `${hosts.length} hosts` : hosts.join(", "),
    text,
    since,
  }));
}

/** What happened, without the evidence and the advice that follow. */
function firstSentence(message: string): string {
  return /^.*?[.?](?= [A-Z])/s.exec(message)?.[0] ?? message;
}

function seconds(milliseconds: number): string {
  return milliseconds < 10_000
    ? `${(milliseconds / 1000).toFixed(1)} s`
    : `${Math.round(milliseconds / 1000)} s`;
}
