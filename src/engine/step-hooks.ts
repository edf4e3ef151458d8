import type { Hook, Hooks } from "../contract/hook.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import { isAway } from "../errors.ts";
import { scriptText } from "../script-text.ts";
import { oneLine } from "../terminal-text.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { HostWork } from "./host-work.ts";
import { reachOf } from "./ledger.ts";
import { inParallel } from "./observe.ts";
import { runChange } from "./run-change.ts";

const HOOK = new URL("./commands/hook.sh", import.meta.url);

/** An `after` that failed: what was changed on these hosts is to be taken back. */
export interface FailedAfter {
  readonly hosts: readonly HostName[];
  readonly because: string;
  readonly output: string | undefined;
}

/** Commands of the user's own around a step's changes: `before` the first of a host, `after` its last one is proven. */
export class StepHooks {
  readonly #work: HostWork;
  readonly #step: AnyStep;
  readonly #hooks: Hooks;
  /** Hosts whose changes have been begun, and those of them for which everything has run. */
  readonly #begun = new Set<HostName>();
  readonly #ended = new Set<HostName>();

  constructor(work: HostWork, step: AnyStep, hooks: Hooks) {
    this.#work = work;
    this.#step = step;
    this.#hooks = hooks;
  }

  /** Runs what comes before the first change of these hosts. Returns those that may be changed; the others have failed. */
  async before(wave: readonly HostName[]): Promise<ReadonlySet<HostName>> {
    const first = wave.filter((host) => !this.#begun.has(host));
    const isOpen = (host: HostName) => this.#work.isOpen(host);
    if (this.#hooks.before.length > 0) {
      const { parallel } = this.#work.context;
      await inParallel(first, parallel, (host) =>
        this.#work.attempt(this.#step, host, () => this.#work.lock(this.#step, host)),
      );
    }
    for (const hook of this.#hooks.before) {
      for (const { hosts, because, output } of await this.#run("before", hook, first.filter(isOpen)))
        for (const host of hosts) this.#work.fail(this.#step, host, `${because}. It was not changed`, output);
    }
    for (const host of first.filter(isOpen)) this.#begun.add(host);
    return new Set(wave.filter(isOpen));
  }

  /**
   * Runs what comes after the last change, for those hosts that wait for no further one. Returns the failures, which the
   * caller answers; a host whose connection was lost has failed.
   */
  async after(waiting: () => ReadonlySet<HostName>): Promise<readonly FailedAfter[]> {
    const begun = [...this.#begun].filter((host) => !this.#ended.has(host));
    if (this.#hooks.after.length === 0 || begun.length === 0) return [];
    const waits = waiting();
    const done = begun.filter((host) => this.#work.isOpen(host) && !waits.has(host));
    const failed: FailedAfter[] = [];
    const isLeft = (host: HostName) =>
      this.#work.isOpen(host) && !failed.some(({ hosts }) => hosts.includes(host));
    for (const hook of this.#hooks.after)
      failed.push(...(await this.#run("after", hook, done.filter(isLeft))));
    for (const host of done) this.#ended.add(host);
    return failed;
  }

  /** Hosts whose changes were begun and for which `after` never ran. */
  get unended(): readonly HostName[] {
    return this.#hooks.after.length === 0 ? [] : [...this.#begun].filter((host) => !this.#ended.has(host));
  }

  async #run(when: keyof Hooks, hook: Hook, hosts: readonly HostName[]): Promise<readonly FailedAfter[]> {
    const places = hook.per === "wave" ? hosts.slice(0, 1) : hosts;
    const failed: FailedAfter[] = [];
    await inParallel([...places], this.#work.context.parallel, async (host) => {
      const wave = hook.per === "wave" ? hosts : [host];
      const failure = await this.#runOn(host, when, hook, wave);
      if (failure !== undefined) failed.push({ hosts: wave, ...failure });
    });
    return failed;
  }

  /** Undefined when it passed. A connection that is lost meanwhile fails the host by itself. */
  async #runOn(
    host: HostName,
    when: keyof Hooks,
    { command, timeoutMs, per }: Hook,
    wave: readonly HostName[],
  ): Promise<Omit<FailedAfter, "hosts"> | undefined> {
    const { emit, hear, run, remoteOf, ledger } = this.#work.context;
    const step = this.#step.name;
    const told = { event: "hook", host, step, when, per, wave, command } as const;
    const startedAtMs = performance.now();
    const durationMs = () => performance.now() - startedAtMs;
    emit({ ...told, is: "begun" });
    const name = oneLine(command);
    const args = [command, run, step, host, wave.join(" ")];
    try {
      const block = { name, text: scriptText(HOOK), args, timeoutMs, tells: true };
      await runChange(remoteOf(host), `its ${when} hook`, [block], { hear });
      emit({ ...told, is: "passed", durationMs: durationMs() });
      return undefined;
    } catch (error) {
      if (!(error instanceof ChangeFailed) && !isAway(error)) throw error;
      const where = per === "wave" ? `, run for the wave on ${host}` : "";
      const because = `${error.message}${where}`;
      const isLost = !(error instanceof ChangeFailed);
      emit({ ...told, is: isLost ? "lost" : "failed", because, durationMs: durationMs() });
      if (!isLost) return { because, output: error.output };
      for (const each of wave) this.#work.fail(this.#step, each, because);
      return undefined;
    } finally {
      ledger.touch(host, reachOf(this.#step));
    }
  }
}
