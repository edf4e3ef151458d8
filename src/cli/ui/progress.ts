import type { ChalkInstance } from "chalk";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Heard, RunEvent } from "../../engine/events.ts";
import { notComparedWords, worseWords } from "../../engine/gate.ts";
import { maskSecrets } from "../../secret.ts";
import { lastLines, oneLine } from "../../terminal-text.ts";
import { shownData, shownText } from "../shown.ts";
import { LiveBlock } from "./live-block.ts";
import { type HostRow, type LiveState, liveLines } from "./live-rows.ts";
import { brokenFor, widthOf } from "./wrapped.ts";

/** What is under way on a host. */
interface Work {
  readonly text: string;
  /** By performance.now(). */
  readonly sinceMs: number;
  readonly isForOthers: boolean;
}

/** Lines of what a program says that are kept. */
const MOST_SAID = 3;

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * Says what happens, on standard error: a line for each thing done, and on a terminal the live screen below them, with
 * a row for each host. Ten redraws a second.
 */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #paint: ChalkInstance;
  readonly #block: LiveBlock | undefined;
  readonly #verbose: boolean;
  readonly #active = new Map<HostName, Work>();
  readonly #said = new Map<HostName, string[]>();
  readonly #unreached = new Map<HostName, string>();
  readonly #failed = new Map<HostName, string>();
  /** Changes that are planned and not made yet, each as "STEP ID". */
  readonly #planned = new Map<HostName, Set<string>>();
  /** What has changed, each as "HOST STEP". */
  readonly #changed = new Set<string>();
  #command = "";
  #steps: readonly string[] = [];
  /** Of the look at all hosts, and then of each step. */
  #hosts: readonly HostName[] = [];
  readonly #looked = new Set<HostName>();
  /** Undefined while all hosts are looked at. */
  #step: string | undefined;
  readonly #waves = new Map<string, number>();
  #wave: { readonly of: number; at: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sinceMs = 0;
  #frame = 0;
  #paused = false;
  /** Lines that wait for the end of a question. */
  readonly #held: string[] = [];
  #asking: Promise<unknown> = Promise.resolve();

  constructor(stream: NodeJS.WriteStream, options: { paint: ChalkInstance; verbose: boolean }) {
    this.#stream = stream;
    this.#paint = options.paint;
    this.#verbose = options.verbose;
    if (isRedrawable(stream)) this.#block = new LiveBlock(stream);
  }

  readonly see = (happened: RunEvent): void => {
    // Most of what happens, and none of it is told here.
    if (happened.event === "evidence" || happened.event === "boot") return;
    const event = shownData(happened);
    const paint = this.#paint;
    switch (event.event) {
      case "run":
        this.#command = event.command;
        this.#steps = event.steps;
        this.#hosts = event.hosts;
        for (const host of event.hosts) this.#begin(host, "looking");
        break;
      case "observed":
        if (this.#step === undefined) this.#looked.add(event.host);
        this.#active.delete(event.host);
        if (this.#verbose)
          this.#line(`${paint.dim("·")} ${event.host} looked at in ${seconds(event.durationMs)}`);
        break;
      case "unreachable":
        this.#active.delete(event.host);
        this.#unreached.set(event.host, event.error.message);
        this.#line(`${paint.red("✗")} ${paint.bold(event.host)} ${firstSentence(event.error.message)}`);
        break;
      case "planned":
        this.#plan(event.host).add(`${event.step} ${event.change.id}`);
        break;
      case "waves":
        this.#waves.set(event.step, event.waves.length);
        break;
      case "step":
        this.#step = event.step;
        this.#wave = { of: this.#waves.get(event.step) ?? 1, at: 1 };
        this.#line(`${paint.cyan("──")} ${paint.bold(event.step)} ${paint.dim(event.title)}`);
        break;
      case "changing":
        this.#begin(event.host, `${event.step} · ${event.change.id}`);
        if (this.#block === undefined)
          this.#line(`   ${event.host} ${event.step} · ${event.change.id}: ${event.change.why}`);
        break;
      case "waiting":
        this.#wait(event);
        break;
      case "changed":
        this.#active.delete(event.host);
        this.#plan(event.host).delete(`${event.step} ${event.change.id}`);
        this.#changed.add(`${event.host} ${event.step}`);
        this.#line(
          `   ${paint.green("✓")} ${event.host} ${event.step} · ${event.change.id} ${paint.dim(`${seconds(event.durationMs)}, found: ${event.change.why}`)}`,
        );
        break;
      case "failed":
        this.#active.delete(event.host);
        this.#failed.set(event.host, `${event.step}: ${firstSentence(event.because)}`);
        this.#line(`   ${paint.red("✗")} ${paint.bold(`${event.host} · ${event.step}`)}: ${event.because}`);
        if (event.output) this.#line(event.output.replace(/^/gm, "       "));
        break;
      case "putting-back":
        this.#begin(event.host, `${event.step} · putting the old configuration back`);
        this.#line(
          `   ${paint.yellow("↩")} ${event.host} ${event.step} · does not come up, putting back ${event.files.join(", ")}`,
        );
        break;
      case "hook":
        this.#hook(event);
        break;
      case "drain":
        this.#line(`   ${paint.dim("·")} ${event.host} ${event.step} · ${drainedWords(event)}`);
        break;
      case "gate":
        for (const host of event.wave) this.#active.delete(host);
        if (this.#wave !== undefined && event.begun && this.#wave.at < this.#wave.of) this.#wave.at += 1;
        if (event.is === "failed")
          this.#line(
            `   ${paint.red("✗")} ${paint.bold(event.step)}: ${event.begun ? "since" : "before"} ${event.wave.join(", ")} the mesh ${event.begun ? "is" : "had become"} worse: ${worseWords(event.worse)}`,
          );
        else if (this.#verbose)
          this.#line(
            `   ${paint.dim(`· the mesh after ${event.wave.join(", ")}: ${event.is === "passed" ? "as before" : "not decided, the run was stopped"}${notComparedWords(event.notCompared)} ${seconds(event.durationMs)}`)}`,
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

  /** Takes what a program on a host says while a change is under way there. */
  readonly hear = (heard: Heard): void => {
    const { host } = heard;
    if (heard.is !== "line") this.#said.delete(host);
    if (heard.is === "line") {
      this.#said.set(
        host,
        [...(this.#said.get(host) ?? []), shownText(lastLines(heard.line, 1))].slice(-MOST_SAID),
      );
    } else if (heard.is === "begun" && !this.#active.has(host)) {
      // What is built for others is no change of the host's own.
      this.#begin(host, heard.during, { isForOthers: true });
    } else if (heard.is === "ended" && this.#active.get(host)?.isForOthers === true) {
      this.#active.delete(host);
    }
  };

  /** Clears the live screen, for a question or at the end. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#active.clear();
    this.#block?.end();
  }

  /** Does what writes to the terminal while the live screen is away. */
  above<T>(write: () => T): T {
    return this.#block === undefined ? write() : this.#block.above(write);
  }

  /** Asks a question while the live screen is away; what happens meanwhile is told afterwards. Questions come one after another. */
  pause<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#asking.then(async () => {
      this.#paused = true;
      this.#block?.erase();
      try {
        return await ask();
      } finally {
        this.#paused = false;
        for (const text of this.#held.splice(0)) this.#line(text);
      }
    });
    this.#asking = asked.catch(() => {});
    return asked;
  }

  #plan(host: HostName): Set<string> {
    const planned = this.#planned.get(host) ?? new Set();
    this.#planned.set(host, planned);
    return planned;
  }

  #begin(host: HostName, text: string, { keep = false, isForOthers = false } = {}): void {
    const nowMs = performance.now();
    const sinceMs = keep ? (this.#active.get(host)?.sinceMs ?? nowMs) : nowMs;
    this.#active.set(host, { text, sinceMs, isForOthers });
    if (this.#block !== undefined && this.#timer === undefined) {
      if (this.#sinceMs === 0) this.#sinceMs = nowMs;
      this.#timer = setInterval(() => this.#draw(), 100);
      this.#timer.unref();
    }
  }

  #wait({ host, step, because }: RunEvent & { event: "waiting" }): void {
    const text = step === undefined ? `is waited for: ${because}` : `${step} waits: ${because}`;
    // Where nothing is redrawn, a host that is waited for is named once for each reason.
    if (step === undefined && this.#block === undefined && this.#active.get(host)?.text !== text)
      this.#line(`${host} ${text}`);
    this.#begin(host, text, { keep: true });
  }

  /** A failure is told by the host's own, with its words. */
  #hook({ host, step, when, command, is, durationMs }: RunEvent & { event: "hook" }): void {
    const text = `${step} · ${when}: ${command}`;
    if (is === "begun") {
      this.#begin(host, text);
      return;
    }
    this.#active.delete(host);
    const sign = is === "passed" ? this.#paint.green("✓") : this.#paint.red("✗");
    this.#line(`   ${sign} ${host} ${text} ${this.#paint.dim(seconds(durationMs ?? 0))}`);
  }

  #line(text: string): void {
    if (this.#paused) this.#held.push(text);
    else {
      const masked = maskSecrets(text);
      this.above(() => this.#stream.write(`${brokenFor(this.#stream, masked)}\n`));
    }
  }

  #draw(): void {
    if (this.#paused) return;
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const columns = widthOf(this.#stream, 80);
    const window = { columns, rows: this.#stream.rows || 24, nowMs: performance.now(), paint: this.#paint };
    this.#block!.draw(liveLines(this.#state(), window));
  }

  /** Which of the steps it is; what comes before the first, as their packages do, is none of them. */
  #place(): string {
    const at = this.#steps.indexOf(this.#step!);
    return at === -1 ? "" : ` (step ${at + 1} of ${this.#steps.length})`;
  }

  #state(): LiveState {
    const others = [...this.#active.keys()].filter((host) => !this.#hosts.includes(host));
    const hosts = [...this.#hosts, ...others].map((host) => this.#row(host));
    const isStep = this.#step !== undefined;
    const concerned = hosts.filter(({ is }) => is !== "idle").length;
    const done = hosts.filter(({ is }) => is === "done").length;
    const failed = hosts.filter(({ is }) => is === "failed").length;
    const parts = [
      `${FRAMES[this.#frame]} ${this.#command || "looking"}`,
      isStep ? `${this.#step}${this.#place()}` : "",
      this.#wave !== undefined && this.#wave.of > 1 ? `wave ${this.#wave.at} of ${this.#wave.of}` : "",
      concerned > 1 ? `${done} of ${concerned} hosts ${isStep ? "done" : "looked at"}` : "",
      failed > 0 ? `${failed} failed` : "",
      isStep && this.#active.size === 0 ? "looking" : "",
      seconds(performance.now() - this.#sinceMs),
    ];
    return { head: parts.filter((part) => part !== ""), hosts };
  }

  #row(host: HostName): HostRow {
    const work = this.#active.get(host);
    const said = this.#said.get(host) ?? [];
    if (work !== undefined)
      return { host, is: "working", text: maskSecrets(oneLine(work.text)), sinceMs: work.sinceMs, said };
    const failed = this.#unreached.get(host) ?? this.#failed.get(host);
    if (failed !== undefined)
      return { host, is: "failed", text: maskSecrets(oneLine(firstSentence(failed))), said: [] };
    if (this.#step === undefined)
      return this.#looked.has(host)
        ? { host, is: "done", text: "looked at", said: [] }
        : { host, is: "next", text: "waits for its turn", said: [] };
    if ([...(this.#planned.get(host) ?? [])].some((change) => change.startsWith(`${this.#step} `)))
      return { host, is: "next", text: "waits for its turn", said: [] };
    return this.#changed.has(`${host} ${this.#step}`)
      ? { host, is: "done", text: "done", said: [] }
      : { host, is: "idle", text: "nothing to do", said: [] };
  }
}

/** Whether what stands on a terminal can be drawn over. A CI system's log keeps every redraw. */
function isRedrawable(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && process.env.TERM !== "dumb" && !process.env.CI;
}

function drainedWords({ is, because, durationMs }: RunEvent & { event: "drain" }): string {
  switch (is) {
    case "out":
      return `its backends have left the mesh ${seconds(durationMs)}`;
    case "back":
      return "its backends come back into the mesh";
    case "kept":
      return `its backends stay in the mesh: ${because}`;
    case "failed":
      return `its backends did not leave the mesh or come back as they should: ${because}`;
  }
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
