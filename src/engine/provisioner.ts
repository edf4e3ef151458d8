import { setTimeout as sleep } from "node:timers/promises";
import { CommandFailed, HostLost, HostUnreachable } from "../errors.ts";
import type { HostName, Network } from "../inventory/view.ts";
import type { Remote } from "../remote/remote.ts";
import type { AnyStep, Change, Evidence, Health } from "../step.ts";
import { apply } from "./apply.ts";
import type { ArtefactStore } from "./artefacts.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { Emit, HostOutcome, MadeChange } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { HostLocks, type Patience } from "./host-locks.ts";
import { inParallel, observeAll } from "./observe.ts";
import { answerFailures, BROKEN_MS, type Failure } from "./put-back.ts";

/** A step that still wants to change a host after so many changes is not converging. */
const MOST_CHANGES = 6;

/** How long rows that no change closes may take to come right by themselves, as a service that is starting does. */
export const PATIENCE_MS = 30_000;

export interface ProvisionerContext {
  readonly run: string;
  readonly parallel: number;
  readonly network: Network;
  readonly artefacts: ArtefactStore;
  readonly remoteOf: (host: HostName) => Remote;
  readonly emit: Emit;
  readonly stop: AbortSignal;
}

/** One host's part in a wave. `closes` are the settings that the change is to bring into force. */
interface Item {
  readonly host: HostName;
  readonly change: Change;
  readonly closes: readonly string[];
}

type ChangesMade = ReadonlyMap<HostName, Set<string>>;

/** Makes changes step by step and wave by wave, and believes none of them until the host shows it. */
export class Provisioner {
  /** Hosts with changes still to make when the run was told to stop. */
  readonly interrupted = new Set<HostName>();
  readonly #fleet: FleetView;
  readonly #order: FleetView["order"];
  readonly #hosts: readonly HostName[];
  readonly #context: ProvisionerContext;
  readonly #locks: HostLocks;
  readonly #failures = new Map<HostName, string>();
  readonly #healthBefore = new Map<AnyStep, Map<HostName, Health | undefined>>();
  readonly #begun = new Map<HostName, (MadeChange & { isProved: boolean; writes: boolean })[]>();

  constructor(
    fleet: FleetView,
    order: FleetView["order"],
    hosts: readonly HostName[],
    context: ProvisionerContext,
  ) {
    this.#fleet = fleet;
    this.#order = order;
    this.#hosts = hosts;
    this.#context = context;
    this.#locks = new HostLocks(context.run, context.remoteOf);
  }

  failureOf(host: HostName): string | undefined {
    return this.#failures.get(host);
  }

  /** What was begun on a host: the changes that it showed to be in force, and those that it did not. */
  changesOn(host: HostName): Pick<HostOutcome, "changed" | "unproven"> {
    const begun = this.#begun.get(host) ?? [];
    const made = (isProved: boolean) =>
      begun
        .filter((change) => change.isProved === isProved)
        .map(({ isProved: _proved, writes: _writes, ...change }) => change);
    return { changed: made(true), unproven: made(false) };
  }

  async provision(): Promise<void> {
    try {
      for (const { step, hosts } of this.#order) {
        const targets = hosts.filter((host) => this.#hosts.includes(host) && this.#isAlive(host));
        if (targets.length > 0) await this.#provisionStep(step, targets);
      }
    } finally {
      await this.#locks.releaseAll();
    }
  }

  #isAlive(host: HostName): boolean {
    return !this.#failures.has(host) && this.#fleet.observation(host)?.is === "seen";
  }

  async #provisionStep(step: AnyStep, targets: readonly HostName[]): Promise<void> {
    const { emit, stop } = this.#context;
    if (!stop.aborted) emit({ event: "step", step: step.name, title: step.title, hosts: targets });
    await this.#prepare(step, targets);
    const done: ChangesMade = new Map(targets.map((host) => [host, new Set<string>()]));
    let heldSinceMs: number | undefined;
    let openSinceMs: number | undefined;
    for (;;) {
      const waiting = this.#waiting(step, targets, done);
      if (stop.aborted) {
        for (const host of waiting.keys()) this.interrupted.add(host);
        return;
      }
      if (waiting.size === 0) {
        openSinceMs ??= performance.now();
        const patienceMs = Math.min(step.settle.deadlineMs, PATIENCE_MS);
        const open = targets.filter((host) => this.#mayComeRight(step, host));
        if (open.length === 0 || performance.now() - openSinceMs >= patienceMs) break;
        for (const host of open) {
          const row = this.#openRow(step, host)!;
          emit({ event: "waiting", host, step: step.name, because: `${row.setting}: ${row.because}` });
        }
        await sleep(1000);
        await this.#lookAgain(step, targets);
        continue;
      }
      openSinceMs = undefined;
      const next = step.next([...waiting.keys()], this.#fleet.fleetOf(step));
      const wave = "hold" in next ? [] : next.filter((host) => waiting.has(host));
      if (wave.length === 0) {
        const because = "hold" in next ? next.hold : "no host may change now";
        heldSinceMs ??= performance.now();
        if (performance.now() - heldSinceMs > step.settle.deadlineMs) {
          for (const host of waiting.keys()) this.#fail(step, host, because);
          break;
        }
        for (const host of waiting.keys()) emit({ event: "waiting", host, step: step.name, because });
        await sleep(1000);
        // Who holds the others up may be a peer that could not be seen for a while.
        await this.#lookAgain(step, targets, { unseenPeersToo: true });
        continue;
      }
      heldSinceMs = undefined;
      const items = wave.map((host) => waiting.get(host)!);
      for (const { host, change } of items) done.get(host)!.add(change.id);
      await this.#changeWave(step, items, targets);
    }
    for (const host of targets) this.#concludeStep(step, host);
  }

  /**
   * Locks who is to be changed, then looks afresh: the first look may be as old as the question to the user, and
   * what other steps and other runs changed since then is not in it.
   */
  async #prepare(step: AnyStep, targets: readonly HostName[]): Promise<void> {
    if (this.#context.stop.aborted) return;
    const toChange = targets.filter((host) => this.#fleet.assess(step, host).changes.length > 0);
    if (toChange.length === 0 && this.#begun.size === 0) return;
    await inParallel(toChange, this.#context.parallel, (host) =>
      this.#attempt(step, host, () => this.#locks.take(host, this.#patience(step, host))),
    );
    await this.#lookAgain(step, targets);
  }

  /** The first change of every host that still has one to make; hosts that must not or cannot go on have failed. */
  #waiting(step: AnyStep, targets: readonly HostName[], done: ChangesMade): ReadonlyMap<HostName, Item> {
    const waiting = new Map<HostName, Item>();
    for (const host of targets) {
      if (!this.#isAlive(host)) continue;
      const { evidence, changes } = this.#fleet.assess(step, host);
      const blocked = evidence.find(({ verdict }) => verdict === "blocked");
      if (blocked !== undefined) {
        this.#fail(step, host, `${blocked.setting}: ${blocked.because}`);
        continue;
      }
      const change = changes[0];
      if (change === undefined) continue;
      const open = evidence.filter((row) => closedBy(row, change.id));
      const made = done.get(host)!;
      if (made.has(change.id)) {
        this.#fail(
          step,
          host,
          `${change.id} was applied and is not in force: ${firstWords(open) || change.why}`,
        );
      } else if (made.size >= MOST_CHANGES) {
        const list = [...made].join(", ");
        this.#fail(
          step,
          host,
          `after ${made.size} changes (${list}) it still wants another, ${change.id}: ${change.why}`,
        );
      } else {
        waiting.set(host, { host, change, closes: open.map(({ setting }) => setting) });
      }
    }
    return waiting;
  }

  async #changeWave(step: AnyStep, wave: readonly Item[], targets: readonly HostName[]): Promise<void> {
    const { emit } = this.#context;
    const startedAtMs = performance.now();
    const applied: Item[] = [];
    const refused = new Map<HostName, ChangeFailed>();
    for (const { host } of wave) this.#rememberHealth(step, host);
    await inParallel(wave, this.#context.parallel, async (item) => {
      const { host, change } = item;
      emit({ event: "changing", host, step: step.name, change });
      const begun = this.#begun.get(host) ?? [];
      this.#begun.set(host, begun);
      const isApplied = await this.#attempt(step, host, async () => {
        await this.#locks.take(host, this.#patience(step, host));
        const writes = change.commands.some(({ kind }) => kind === "write" || kind === "remove");
        begun.push({ step: step.name, change: change.id, why: change.why, isProved: false, writes });
        try {
          await this.#make(step, host, change);
        } catch (error) {
          // What was refused is answered below. What was lost is not known, and left as it is.
          if (!(error instanceof ChangeFailed)) throw error;
          refused.set(host, error);
        }
      });
      if (isApplied && !refused.has(host)) applied.push(item);
    });
    const unsettled = await this.#settle(step, applied, targets);
    await this.#answer(step, wave, refused, unsettled, targets);
    for (const { host, change, closes } of applied) {
      if (unsettled.has(host)) continue;
      const { evidence } = this.#fleet.assess(step, host);
      this.#begun.get(host)!.at(-1)!.isProved = evidence.every(
        ({ setting, verdict }) => verdict === "proven" || !closes.includes(setting),
      );
      emit({ event: "changed", host, step: step.name, change, durationMs: performance.now() - startedAtMs });
    }
  }

  async #make(step: AnyStep, host: HostName, change: Change): Promise<void> {
    const context = { ...this.#context, step: step.name, builder: this.#builderFor(step) };
    const alsoInstall = this.#packagesAlsoPlanned(host);
    await apply(this.#context.remoteOf(host), change, { ...context, alsoInstall });
  }

  /**
   * What to do about changes that were refused or that do not show: where the service is broken by now the old
   * configuration is put back, and the host has failed with both facts. Where it is healthy nothing is put back for
   * a value that differs; where nobody can tell yet neither.
   */
  async #answer(
    step: AnyStep,
    wave: readonly Item[],
    refused: ReadonlyMap<HostName, ChangeFailed>,
    unsettled: ReadonlySet<HostName>,
    targets: readonly HostName[],
  ): Promise<void> {
    if (refused.size > 0 && step.service !== undefined) await this.#lookUntilDecided(step, refused, targets);
    const failures: Failure[] = [];
    for (const { host, change } of wave) {
      const error = refused.get(host);
      if (this.#failures.has(host) || (error === undefined && !unsettled.has(host))) continue;
      const health = this.#fleet.health(step, host);
      const because =
        error?.message ??
        `${change.id} was applied and is not in force${health === undefined || health.is === "healthy" ? "" : `: ${health.because}`}`;
      if (health?.is === "broken") {
        const before = this.#healthBefore.get(step)?.get(host);
        failures.push({ host, because, output: error?.output, before });
      } else if (health?.is === "undecided") {
        const seen = because.includes(health.because) ? "" : `; ${health.because}`;
        this.#fail(step, host, `${because}${seen}. Nothing was put back`, error?.output);
      } else if (error !== undefined) {
        this.#fail(step, host, because, error.output);
      }
    }
    const answers = await answerFailures(this.#context.run, step, failures, this.#context.remoteOf, {
      ...this.#context,
      fleet: this.#fleet,
      look: () => this.#lookAgain(step, targets),
      make: (_step, host, change) => this.#make(step, host, change),
    });
    for (const { host, because, output } of failures) {
      const { words, isPutBack } = answers.get(host)!;
      if (isPutBack) {
        const begun = this.#begun.get(host)!;
        this.#begun.set(
          host,
          begun.map((made) => {
            const isPutBack = made.step === step.name && (made.writes || made === begun.at(-1));
            return isPutBack ? { ...made, isProved: false, putBack: true } : made;
          }),
        );
      }
      this.#fail(step, host, `${because}; ${words}`, output);
    }
  }

  /** A refusal may come while the service is still on its way: it is looked at until it has arrived. */
  async #lookUntilDecided(
    step: AnyStep,
    refused: ReadonlyMap<HostName, unknown>,
    targets: readonly HostName[],
  ): Promise<void> {
    const startedAtMs = performance.now();
    for (;;) {
      await this.#lookAgain(step, targets);
      const undecided = [...refused.keys()].filter((host) => this.#sayUndecided(step, host));
      if (undecided.length === 0 || performance.now() - startedAtMs >= step.settle.deadlineMs) return;
      await sleep(1000);
    }
  }

  /** Whether nobody can tell yet how a service is; it is said what is seen. */
  #sayUndecided(step: AnyStep, host: HostName): boolean {
    const health = this.#fleet.health(step, host);
    if (health?.is !== "undecided") return false;
    this.#context.emit({ event: "waiting", host, step: step.name, because: health.because });
    return true;
  }

  /** How the service was before this run changed anything of the step. */
  #rememberHealth(step: AnyStep, host: HostName): void {
    const known = this.#healthBefore.get(step) ?? new Map<HostName, Health | undefined>();
    this.#healthBefore.set(step, known);
    if (!known.has(host)) known.set(host, this.#fleet.health(step, host));
  }

  /** Whether the work was done. A host that fails is out of the run, and spares the others. */
  async #attempt(step: AnyStep, host: HostName, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const isExpected =
        error instanceof ChangeFailed || error instanceof HostLost || error instanceof HostUnreachable;
      const { message, stack } = error as Error;
      const said = error instanceof ChangeFailed || error instanceof CommandFailed ? error.output : undefined;
      // A fault of ours must not take the other hosts' proofs and the summary with it.
      this.#fail(step, host, message, isExpected ? said : (said ?? stack));
      return false;
    }
  }

  /**
   * Looks until every change of the wave shows in the evidence and stays. Returns those that did not show before the
   * deadline, or showed and did not stay.
   */
  async #settle(
    step: AnyStep,
    applied: readonly Item[],
    targets: readonly HostName[],
  ): Promise<ReadonlySet<HostName>> {
    const { deadlineMs, stableMs } = step.settle;
    const startedAtMs = performance.now();
    const shownSinceMs = new Map<HostName, number>();
    const brokenSinceMs = new Map<HostName, number>();
    const givenUp = new Set<HostName>();
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 1000)) {
      await this.#lookAgain(step, targets);
      const nowMs = performance.now();
      const open = applied.filter((item) => {
        if (givenUp.has(item.host)) return false;
        if (!this.#showsIn(step, item)) {
          shownSinceMs.delete(item.host);
          this.#sayUndecided(step, item.host);
          if (this.#fleet.health(step, item.host)?.is !== "broken") brokenSinceMs.delete(item.host);
          else if (!brokenSinceMs.has(item.host)) brokenSinceMs.set(item.host, nowMs);
          const brokenMs = nowMs - (brokenSinceMs.get(item.host) ?? nowMs);
          if (nowMs - startedAtMs > deadlineMs || brokenMs > BROKEN_MS) givenUp.add(item.host);
          return true;
        }
        const sinceMs = shownSinceMs.get(item.host) ?? nowMs;
        shownSinceMs.set(item.host, sinceMs);
        return nowMs - sinceMs < (item.change.activate.length > 0 ? stableMs : 0);
      });
      if (open.every(({ host }) => givenUp.has(host))) return givenUp;
      await sleep(waitMs);
    }
  }

  #showsIn(step: AnyStep, { host, change, closes }: Item): boolean {
    // A host or a probe that gives no answer shows nothing.
    if (this.#fleet.fleetOf(step).get(host)?.is !== "seen") return false;
    const { evidence, changes } = this.#fleet.assess(step, host);
    if (changes.some(({ id }) => id === change.id)) return false;
    return closes.every((setting) => {
      const row = evidence.find((candidate) => candidate.setting === setting);
      // Rows may pass on to the next change (installed now, running later) or go away with it.
      if (row === undefined || row.verdict === "proven") return true;
      return row.closedBy !== undefined && !closedBy(row, change.id);
    });
  }

  /** Looks at one step again, on every host that has it and could be seen. */
  async #lookAgain(
    step: AnyStep,
    targets: readonly HostName[],
    { unseenPeersToo = false } = {},
  ): Promise<void> {
    const members = [...this.#fleet.fleetOf(step).keys()].filter(
      (host) =>
        unseenPeersToo ||
        (targets.includes(host) && !this.#failures.has(host)) ||
        this.#fleet.observation(host)?.is === "seen",
    );
    const requests = new Map(
      members.map((host) => [host, this.#fleet.requests(host, (name) => name === step.name)]),
    );
    const observations = await observeAll(requests, this.#context.remoteOf, this.#context.parallel);
    for (const [host, observation] of observations) this.#fleet.see(host, observation);
  }

  #openRow(step: AnyStep, host: HostName): Evidence | undefined {
    const { evidence } = this.#fleet.assess(step, host);
    const open = evidence.filter(({ verdict }) => verdict !== "proven" && verdict !== "pending");
    return open.find(({ urgent }) => urgent) ?? open[0];
  }

  /** Whether it is worth looking again although there is nothing to change. */
  #mayComeRight(step: AnyStep, host: HostName): boolean {
    if (!this.#isAlive(host) || this.#openRow(step, host) === undefined) return false;
    const { evidence } = this.#fleet.assess(step, host);
    return !evidence.some(({ verdict }) => verdict === "shadowed" || verdict === "clamped");
  }

  #concludeStep(step: AnyStep, host: HostName): void {
    if (this.#failures.has(host)) return;
    const observation = this.#fleet.observation(host);
    if (observation?.is !== "seen") {
      const why = observation?.error.message ?? "it was not looked at";
      this.#fail(step, host, `the host cannot be seen any more: ${why}`);
      return;
    }
    const open = this.#openRow(step, host);
    if (open !== undefined) {
      this.#fail(step, host, `${open.setting}: ${open.because}`);
      return;
    }
    // What one change left open, a later one has closed.
    for (const made of this.#begun.get(host) ?? []) if (made.step === step.name) made.isProved = true;
  }

  #fail(step: AnyStep, host: HostName, because: string, output?: string): void {
    if (this.#failures.has(host)) return;
    this.#failures.set(host, `${step.name}: ${because}`);
    this.#context.emit({ event: "failed", host, step: step.name, because, output });
  }

  /** Missing packages that the plan installs on the host anyway, whatever the step: one apt run instead of one a step. */
  #packagesAlsoPlanned(host: HostName): readonly string[] {
    const observation = this.#fleet.observation(host);
    if (observation?.is !== "seen") return [];
    return this.#order
      .filter(({ hosts }) => hosts.includes(host))
      .map(({ step }) => this.#fleet.assess(step, host))
      .filter(({ evidence }) => evidence.every(({ verdict }) => verdict !== "blocked"))
      .flatMap(({ changes }) => changes.flatMap(({ commands, activate }) => [...commands, ...activate]))
      .flatMap((command) => (command.kind === "install" ? command.packages : []))
      .filter((name) => !observation.host.packages.has(name));
  }

  /** A build installs compilers: the build host is changed by it. Throws ChangeFailed when it is to be left alone. */
  readonly #builderFor =
    (step: AnyStep) =>
    async (host: HostName): Promise<Remote> => {
      if (!this.#hosts.includes(host)) {
        throw new ChangeFailed(
          host,
          `it has to be built on ${host} first, which this run leaves alone: let --limit include ${host}, or name another build_host`,
        );
      }
      await this.#locks.take(host, this.#patience(step, host));
      return this.#context.remoteOf(host);
    };

  /** A run that was cut off may have left a change under way: it is waited for, and looked at when it has ended. */
  #patience(step: AnyStep, host: HostName): Patience {
    const { emit, stop } = this.#context;
    return { say: (because) => emit({ event: "waiting", host, step: step.name, because }), stop };
  }
}

/** The first two rows tell the cause; the rest mostly follow from it, and stand in the table. */
function firstWords(rows: readonly Evidence[]): string {
  const words = rows.slice(0, 2).map((row) => `${row.setting}: ${row.because}`);
  return [...words, ...(rows.length > 2 ? [`${rows.length - 2} more rows`] : [])].join("; ");
}

function closedBy(row: Evidence, change: string): boolean {
  return row.closedBy !== undefined && "change" in row.closedBy && row.closedBy.change === change;
}
