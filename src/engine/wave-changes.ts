import type { Change } from "../contract/change.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { Evidence } from "../contract/reading.ts";
import type { AnyStep, Health } from "../contract/step.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { HostWork } from "./host-work.ts";
import type { StepLooks } from "./looks.ts";
import { inParallel } from "./observe.ts";
import { answerFailures, type Failure } from "./put-back.ts";
import { BROKEN_MS, untilSettled } from "./settle.ts";

/** One host's part in a wave. `closes` are the settings that the change is to bring into force. */
export interface Item {
  readonly change: Change;
  readonly closes: readonly string[];
}

/** Makes the changes of a step's waves, proves them, and answers those that do not come into force. */
export class WaveChanges {
  readonly #work: HostWork;
  readonly #step: AnyStep;
  readonly #looks: StepLooks;
  /** Hosts that run their old configuration again. */
  readonly #restored = new Set<HostName>();

  constructor(work: HostWork, step: AnyStep, looks: StepLooks) {
    this.#work = work;
    this.#step = step;
    this.#looks = looks;
  }

  /** How a host's service was when this was first asked; undefined where it had none. */
  healthBefore(host: HostName): Health | undefined {
    return this.#work.healthBefore(this.#step, host);
  }

  /** Whether this run has put the old configuration back on a host. */
  hasPutBack(host: HostName): boolean {
    return this.#restored.has(host);
  }

  async make(wave: ReadonlyMap<HostName, Item>): Promise<void> {
    const { emit, ledger, parallel } = this.#context;
    const step = this.#step.name;
    const startedAtMs = performance.now();
    const applied = new Map<HostName, Item>();
    const refused = new Map<HostName, ChangeFailed>();
    for (const host of wave.keys()) this.healthBefore(host);
    await inParallel([...wave], parallel, async ([host, item]) => {
      const { change } = item;
      emit({ event: "changing", host, step, change });
      await this.#work.attempt(this.#step, host, async () => {
        await this.#work.lock(this.#step, host);
        ledger.begin(host, step, change);
        try {
          await this.#work.make(this.#step, host, change);
          applied.set(host, item);
        } catch (error) {
          // What was refused is answered below. What was lost is not known, and left as it is.
          if (!(error instanceof ChangeFailed)) throw error;
          refused.set(host, error);
        }
      });
    });
    const unsettled = await this.#settle(applied);
    await this.#answer(wave, refused, unsettled);
    for (const [host, { change, closes }] of applied) {
      if (unsettled.has(host)) continue;
      const { evidence } = this.#assess(host);
      ledger.end(
        host,
        evidence.every(({ setting, verdict }) => verdict === "proven" || !closes.includes(setting)),
      );
      emit({ event: "changed", host, step, change, durationMs: performance.now() - startedAtMs });
    }
  }

  /**
   * Looks until every change of the wave shows in the evidence and stays. Returns how the services are of those that
   * did not show before the deadline, or showed and did not stay.
   */
  async #settle(applied: ReadonlyMap<HostName, Item>): Promise<ReadonlyMap<HostName, Health | undefined>> {
    const { deadlineMs, stableMs } = this.#step.settle;
    const sinceMs = performance.now();
    const ends = await untilSettled(applied.keys(), {
      deadlineMs,
      look: (host, isAlone) => this.#looks.at(host, isAlone),
      stateOf: (host) => {
        const item = applied.get(host)!;
        const health = this.#fleet.health(this.#step, host, sinceMs);
        if (this.#shows(host, item)) {
          const lastsMs = item.change.activate.length > 0 ? stableMs : 0;
          return { is: "shown", isWanted: true, lastsMs, health };
        }
        if (health?.is === "broken") return { is: "broken", isWanted: false, lastsMs: BROKEN_MS, health };
        return { is: "open", isWanted: false, lastsMs: Number.POSITIVE_INFINITY, health };
      },
      say: (host, { is, health }) => {
        if (is === "open" && health?.is === "undecided") this.#say(host, health.because);
      },
    });
    return new Map(
      [...ends].filter(([, { isWanted }]) => !isWanted).map(([host, { health }]) => [host, health]),
    );
  }

  #shows(host: HostName, { change, closes }: Item): boolean {
    // A host or a probe that gives no answer shows nothing.
    if (this.#fleet.fleetOf(this.#step).get(host)?.is !== "seen") return false;
    const { evidence, changes } = this.#assess(host);
    if (changes.some(({ id }) => id === change.id)) return false;
    return closes.every((setting) => {
      const row = evidence.find((candidate) => candidate.setting === setting);
      // Rows may pass on to the next change (installed now, running later) or go away with it.
      if (row === undefined || row.verdict === "proven") return true;
      return row.closedBy !== undefined && !closedBy(row, change.id);
    });
  }

  /** A refusal may come while the service is still on its way: it is looked at until it has arrived. */
  async #decided(refused: Iterable<HostName>): Promise<ReadonlyMap<HostName, Health | undefined>> {
    const sinceMs = performance.now();
    const ends = await untilSettled(refused, {
      deadlineMs: this.#step.settle.deadlineMs,
      look: (host, isAlone) => this.#looks.at(host, isAlone),
      stateOf: (host) => {
        const health = this.#fleet.health(this.#step, host, sinceMs);
        const isOpen = health?.is === "undecided";
        const lastsMs = isOpen ? Number.POSITIVE_INFINITY : 0;
        return { is: isOpen ? "open" : "decided", isWanted: !isOpen, lastsMs, health };
      },
      say: (host, { health }) => {
        if (health?.is === "undecided") this.#say(host, health.because);
      },
    });
    return new Map([...ends].map(([host, { health }]) => [host, health]));
  }

  /**
   * What to do about changes that were refused or that do not show: where the service is broken by now the old
   * configuration is put back, and the host has failed with both facts. Where it is healthy nothing is put back for
   * a value that differs; where nobody can tell yet neither.
   */
  async #answer(
    wave: ReadonlyMap<HostName, Item>,
    refused: ReadonlyMap<HostName, ChangeFailed>,
    unsettled: ReadonlyMap<HostName, Health | undefined>,
  ): Promise<void> {
    const decided = await this.#decided(this.#step.service === undefined ? [] : refused.keys());
    const failures: Failure[] = [];
    for (const [host, { change }] of wave) {
      const error = refused.get(host);
      if (!this.#work.isOpen(host) || (error === undefined && !unsettled.has(host))) continue;
      const health = error === undefined ? unsettled.get(host) : decided.get(host);
      const because =
        error?.message ??
        `${change.id} was applied and is not in force${health === undefined || health.is === "healthy" ? "" : `: ${health.because}`}`;
      if (health?.is === "broken") {
        failures.push({ host, because, output: error?.output, before: this.healthBefore(host) });
      } else if (health?.is === "undecided") {
        const seen = because.includes(health.because) ? "" : `; ${health.because}`;
        this.#fail(host, `${because}${seen}. Nothing was put back`, error?.output);
      } else if (error !== undefined) {
        this.#fail(host, because, error.output);
      }
    }
    await this.#putBack(failures);
  }

  /**
   * Fails hosts whose changes came into force and harm others, and puts their old configuration back. Returns those that
   * run it again.
   */
  takeBack(hosts: readonly HostName[], because: string, output?: string): Promise<readonly HostName[]> {
    return this.#putBack(hosts.map((host) => ({ host, because, output, before: this.healthBefore(host) })));
  }

  async #putBack(failures: readonly Failure[]): Promise<readonly HostName[]> {
    const { run, remoteOf, ledger } = this.#context;
    const answers = await answerFailures(run, this.#step, failures, remoteOf, {
      ...this.#context,
      fleet: this.#fleet,
      looks: this.#looks,
      make: (step, host, change) => this.#work.make(step, host, change),
    });
    for (const { host, because, output } of failures) {
      const { words, isPutBack } = answers.get(host)!;
      if (isPutBack) {
        ledger.putBack(host, this.#step.name);
        this.#restored.add(host);
      }
      this.#fail(host, `${because}; ${words}`, output);
    }
    return failures.flatMap(({ host }) => (answers.get(host)!.isPutBack ? [host] : []));
  }

  get #context() {
    return this.#work.context;
  }

  get #fleet() {
    return this.#work.fleet;
  }

  #assess(host: HostName) {
    return this.#fleet.assess(this.#step, host);
  }

  #fail(host: HostName, because: string, output?: string): void {
    this.#work.fail(this.#step, host, because, output);
  }

  #say(host: HostName, because: string): void {
    this.#context.emit({ event: "waiting", host, step: this.#step.name, because });
  }
}

/** Whether a change is to bring a row into force. */
export function closedBy(row: Evidence, change: string): boolean {
  return row.closedBy !== undefined && "change" in row.closedBy && row.closedBy.change === change;
}

/** A change with the rows that it is to bring into force. */
export function itemOf(change: Change, evidence: readonly Evidence[]): Item {
  return { change, closes: evidence.filter((row) => closedBy(row, change.id)).map(({ setting }) => setting) };
}
