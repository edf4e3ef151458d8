import type { Hooks } from "../contract/hook.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { Evidence } from "../contract/reading.ts";
import type { AnyStep, Fleet } from "../contract/step.ts";
import { Drains } from "./drains.ts";
import { tellsOfServers, worseWords } from "./gate.ts";
import type { HostWork } from "./host-work.ts";
import { reachOf } from "./ledger.ts";
import type { StepLooks } from "./looks.ts";
import { MeshGate } from "./mesh-gate.ts";
import { inParallel } from "./observe.ts";
import { PATIENCE_MS, untilSettled } from "./settle.ts";
import { StepHooks } from "./step-hooks.ts";
import { closedBy, type Item, itemOf, WaveChanges } from "./wave-changes.ts";
import type { WaveLimits } from "./wave-limits.ts";
import { waves } from "./waves.ts";

/** A step that still wants to change a host after so many changes is not converging. */
const MOST_CHANGES = 6;

/** What a step is to do in this run. */
export interface Task {
  readonly step: AnyStep;
  readonly targets: readonly HostName[];
  readonly limits: WaveLimits;
  readonly hooks: Hooks;
}

/** Makes one step's changes wave by wave, and believes none of them until the host shows it. */
export class StepProvision {
  readonly #work: HostWork;
  readonly #step: AnyStep;
  readonly #targets: readonly HostName[];
  readonly #looks: StepLooks;
  /** Ids of the changes that were made. */
  readonly #made: ReadonlyMap<HostName, Set<string>>;
  readonly #changes: WaveChanges;
  readonly #limits: WaveLimits;
  readonly #gate: MeshGate;
  readonly #hooks: StepHooks;
  readonly #drainer: Drains;
  /** Hosts whose service this run has disrupted, in the order of their waves. */
  readonly #disrupted = new Set<HostName>();
  /** Hosts that failed because a hook did: they count as those that were disrupted. */
  readonly #hookFailed = new Set<HostName>();
  #disruptions = 0;
  #isBlindToServers = false;

  constructor(work: HostWork, { step, targets, limits, hooks }: Task, looks: StepLooks) {
    this.#work = work;
    this.#step = step;
    this.#targets = targets;
    this.#looks = looks;
    this.#limits = limits;
    this.#changes = new WaveChanges(work, step, looks);
    this.#gate = new MeshGate(work, step);
    this.#hooks = new StepHooks(work, step, hooks);
    const { fleet, context } = work;
    const steps = (name: string) => fleet.hasVitals(name) || fleet.hasDrain(name);
    const lookAt = (hosts: readonly HostName[]) =>
      Promise.all(hosts.map((host) => context.looks.at(host, { steps, isFurther: true })));
    this.#drainer = new Drains(step.name, { ...context, fleet, lookAt });
    this.#made = new Map(targets.map((host) => [host, new Set<string>()]));
  }

  /** Returns why nothing more is to be begun in this run; undefined where the next step may. */
  async provision(): Promise<string | undefined> {
    const stopped = await this.#provision();
    const { unended } = this.#hooks;
    if (unended.length > 0) {
      const text = `${this.#step.name}: what is to run after the change has not run on ${unended.join(", ")}, and what ran before it has.`;
      this.#context.emit({ event: "note", text });
    }
    return stopped;
  }

  async #provision(): Promise<string | undefined> {
    const { stop, emit, ledger } = this.#context;
    const { name, title } = this.#step;
    if (!stop.aborted) emit({ event: "step", step: name, title, hosts: this.#targets });
    const sinceMs = performance.now();
    await this.#prepare();
    for (;;) {
      const inTurn = waves(this.#step, {
        fleet: this.#fleet,
        looks: this.#looks,
        sinceMs,
        waiting: () => this.#waiting(),
        next: (waiting, fleet) => this.#next(waiting, fleet),
        nobody: "no host may change now",
        say: (host, because) => this.#say(host, because),
        giveUp: (host, because) => this.#fail(host, because),
        isStopped: () => stop.aborted,
      });
      let hasWaited = false;
      for await (const planned of inTurn) {
        const disrupting = [...planned]
          .filter(([host, item]) => this.#restarts(host, item))
          .map(([host]) => host);
        const witnesses = disrupting.length === 0 ? [] : this.#gate.witnesses(disrupting);
        if (disrupting.length > 0) {
          const gate = await this.#holdForMesh(disrupting, witnesses);
          if (gate.is === "failed") return gate.why;
          if (stop.aborted) break;
          // Whose turn it is may be another question by now.
          if (gate.looks > 1 && !hasWaited) {
            hasWaited = true;
            continue;
          }
        }
        hasWaited = false;
        const ready = await this.#hooks.before([...planned.keys()]);
        if (stop.aborted) break;
        for (const host of planned.keys()) if (!ready.has(host)) this.#hookFailed.add(host);
        const wave = new Map([...planned].filter(([host]) => ready.has(host)));
        const restarted = disrupting.filter((host) => ready.has(host));
        for (const [host, { change }] of wave) this.#made.get(host)!.add(change.id);
        const first = restarted.filter((host) => !this.#disrupted.has(host));
        if (first.length > 0) this.#disruptions += 1;
        for (const host of first) this.#disrupted.add(host);
        await this.#make(wave, witnesses);
        const stopped =
          (await this.#runAfter()) ??
          this.#holdBack() ??
          (restarted.length === 0 ? undefined : await this.#passGate(restarted, witnesses));
        if (stopped !== undefined) return stopped;
      }
      if (stop.aborted) {
        for (const host of this.#waiting().keys()) ledger.interrupt(host);
        return undefined;
      }
      await this.#waitForWhatComesRight();
      if (!stop.aborted && this.#waiting().size === 0) break;
    }
    const stopped = await this.#runAfter();
    if (stopped !== undefined) return stopped;
    for (const host of this.#targets) this.#conclude(host);
    return this.#holdBack();
  }

  /**
   * Runs the hooks of hosts that have no change to make any more. Where one fails, its hosts get their old configuration
   * back, and nothing more is begun. Returns why.
   */
  async #runAfter(): Promise<string | undefined> {
    const failed = await this.#hooks.after(() => new Set(this.#waiting().keys()));
    for (const { hosts, because, output } of failed) await this.#changes.takeBack(hosts, because, output);
    if (failed.length === 0) return undefined;
    const why = failed.map(({ hosts, because }) => `${hosts.join(", ")}: ${because}`).join("; ");
    this.#leaveTheRest(why);
    return `${this.#step.name}: ${why}`;
  }

  /** Makes a wave's changes. A host whose backends leave the mesh meanwhile has the wave for itself. */
  async #make(wave: ReadonlyMap<HostName, Item>, witnesses: readonly HostName[]): Promise<void> {
    const host = [...wave.keys()].find((each) => this.#drains(each, wave.get(each)));
    const drained = host === undefined ? undefined : await this.#drain(host, witnesses);
    await this.#changes.make(wave);
    await this.#drainer.end(drained);
  }

  async #drain(host: HostName, witnesses: readonly HostName[]): ReturnType<Drains["begin"]> {
    const { deadlineMs, stableMs } = this.#step.settle;
    await this.#work.attempt(this.#step, host, () => this.#work.lock(this.#step, host));
    return this.#work.isOpen(host) ? this.#drainer.begin(host, witnesses, deadlineMs + stableMs) : undefined;
  }

  /** Who may go by the step itself; of those whose service would be disrupted no more than a wave may take. */
  #next(waiting: readonly HostName[], fleet: Fleet<unknown, unknown>): ReturnType<AnyStep["next"]> {
    const turn = this.#step.next(waiting, fleet);
    if ("hold" in turn) return turn;
    const items = this.#waiting();
    const isAlone = (host: HostName) => this.#drains(host, items.get(host));
    const limited = turn.filter((host) => isAlone(host) || this.#isDisrupting(host, items.get(host)));
    const free = turn.filter((host) => !limited.includes(host));
    return free.length > 0 ? free : this.#limits.wave(limited, this.#disruptions, isAlone);
  }

  /** Whether a change is the first to disrupt a service of the host that was there before this run. */
  #isDisrupting(host: HostName, item: Item | undefined): boolean {
    return this.#restarts(host, item) && !this.#disrupted.has(host);
  }

  /** Whether a change disrupts a service of the host that was there before this run. */
  #restarts(host: HostName, item: Item | undefined): boolean {
    // Asked of every host before its first change: one that this run installs is nobody's yet.
    const before = this.#changes.healthBefore(host);
    return item?.change.disrupts !== undefined && (this.#step.service === undefined || before !== undefined);
  }

  /** Whether a change disrupts what clients of the host's backends need. */
  #drains(host: HostName, item: Item | undefined): boolean {
    return this.#restarts(host, item) && item?.change.disrupts?.drains === true;
  }

  /**
   * Holds a wave until the mesh is as good as it has been in this step: what an earlier wave did may show late. Where it stays
   * worse, nothing more is begun, and nothing put back: what earlier waves made was proven.
   */
  async #holdForMesh(
    wave: readonly HostName[],
    witnesses: readonly HostName[],
  ): Promise<
    { readonly is: "failed"; readonly why: string } | { readonly is: "open"; readonly looks: number }
  > {
    const { emit } = this.#context;
    const beganAtMs = performance.now();
    const { is, looks, worse, notCompared } = await this.#gate.watch({
      hosts: witnesses,
      before: this.#gate.known(witnesses),
      forMs: 0,
      than: "it was in this step",
      say: (because) => {
        for (const host of wave) this.#say(host, because);
      },
      isCounted: (host) => this.#work.isOpen(host),
    });
    this.#tellOfBlindness(witnesses);
    if (is !== "failed") return { is: "open", looks };
    const durationMs = performance.now() - beganAtMs;
    const step = this.#step.name;
    const lookedAt = witnesses;
    emit({ event: "gate", step, wave, begun: false, lookedAt, is, worse, notCompared, durationMs });
    const why = `before ${wave.join(", ")} ${wave.length === 1 ? "was" : "were"} changed the mesh had become worse: ${worseWords(worse)}`;
    this.#leaveTheRest(why);
    return { is, why: `${step}: ${why}` };
  }

  /** Without a proxy to look at no gate sees a backend. */
  #tellOfBlindness(witnesses: readonly HostName[]): void {
    const isConcerned = this.#step.needs === "self" && this.#fleet.hasServices;
    if (this.#isBlindToServers || !isConcerned || tellsOfServers(this.#gate.known(witnesses))) return;
    this.#isBlindToServers = true;
    const text = `${this.#step.name}: no server is in HAProxy on the hosts that are looked at, so the gates prove nothing of the backends. Either none is registered yet, or -l or --steps leaves out the proxies.`;
    this.#context.emit({ event: "note", text });
  }

  /**
   * Holds the next wave until the mesh is as it was before this one. Where it stays worse, the old configuration is put back
   * on the wave's hosts, and nothing more is begun. Returns why.
   */
  async #passGate(wave: readonly HostName[], witnesses: readonly HostName[]): Promise<string | undefined> {
    const { emit, ledger } = this.#context;
    const open = wave.filter((host) => this.#work.isOpen(host));
    const beganAtMs = performance.now();
    const say = (because: string) => {
      for (const host of open) this.#say(host, because);
    };
    const noticedMs = this.#gate.noticedAfterMs(witnesses);
    const watch = {
      hosts: witnesses,
      before: this.#gate.known(witnesses),
      than: "before this wave",
      say,
    };
    const { is, worse, notCompared } = await this.#gate.watch({
      ...watch,
      forMs: Math.max(noticedMs, this.#limits.holdMs(wave)),
      isCounted: (host) => this.#work.isOpen(host),
    });
    const durationMs = performance.now() - beganAtMs;
    const step = this.#step.name;
    emit({ event: "gate", step, wave, begun: true, lookedAt: witnesses, is, worse, notCompared, durationMs });
    if (is === "stopped") for (const host of open) ledger.interrupt(host);
    if (is !== "failed") return undefined;

    const found = worseWords(worse);
    const failed = wave.filter((host) => !open.includes(host));
    if (failed.length > 0 && this.#gate.about(failed, worse).length === worse.length) {
      const why = `${failed.join(", ")} failed, and the mesh is worse for it: ${found}`;
      this.#leaveTheRest(why);
      return `${step}: ${why}`;
    }
    const putBack = await this.#changes.takeBack(open, `the mesh is worse than before this wave: ${found}`);
    const why = `the mesh is worse since ${wave.join(", ")} ${wave.length === 1 ? "was" : "were"} changed: ${found}`;
    this.#leaveTheRest(why);
    if (putBack.length > 0) {
      const again = await this.#gate.watch({ ...watch, forMs: noticedMs, isCounted: () => true });
      const text =
        again.worse.length === 0
          ? "With the old configuration the mesh is as it was before the wave."
          : `With the old configuration it is still worse than before the wave: ${worseWords(again.worse)}.`;
      emit({ event: "note", text });
    }
    return `${step}: ${why}`;
  }

  /** Begins nothing more, and says who runs what. */
  #leaveTheRest(why: string): void {
    const untouched = [...this.#waiting().keys()];
    const putBack = this.#targets.filter((host) => this.#changes.hasPutBack(host));
    for (const host of untouched) this.#fail(host, `left as it is: ${why}`);
    const runs = [
      [
        "run the new configuration",
        this.#targets.filter((host) => this.#runsNew(host) && !putBack.includes(host)),
      ],
      ["run the old one again", putBack],
      ["were not touched", untouched],
    ] as const;
    const words = runs.flatMap(([does, hosts]) =>
      hosts.length === 0 ? [] : [`${does}: ${hosts.join(", ")}`],
    );
    this.#context.emit({ event: "note", text: `${this.#step.name}: ${words.join("; ")}.` });
  }

  /** Whether this run has changed the step on a host. */
  #runsNew(host: HostName): boolean {
    return (this.#made.get(host)?.size ?? 0) > 0;
  }

  /** Leaves those alone that have waited so far, when more hosts were disrupted and failed than may. */
  #holdBack(): string | undefined {
    const counted = new Set([...this.#disrupted, ...this.#hookFailed]);
    const failed = [...counted].filter((host) => !this.#work.isOpen(host));
    const most = this.#limits.exceededBy(failed);
    if (most === undefined) return undefined;
    const why = `${failed.join(", ")} failed, and ${most === 0 ? "no host" : `no more than ${most}`} may (max_fail)`;
    for (const host of this.#waiting().keys()) this.#fail(host, `left as it is: ${why}`);
    return `${this.#step.name}: ${why}`;
  }

  get #context() {
    return this.#work.context;
  }

  get #fleet() {
    return this.#work.fleet;
  }

  #fail(host: HostName, because: string): void {
    this.#work.fail(this.#step, host, because);
  }

  #say(host: HostName, because: string): void {
    this.#context.emit({ event: "waiting", host, step: this.#step.name, because });
  }

  /**
   * Locks who is to be changed, then looks afresh: the first look may be as old as the question to the user, and
   * what other steps and other runs changed since then is not in it. Others are looked at where this run may have changed
   * what the last look told: on the host itself, or in the mesh.
   */
  async #prepare(): Promise<void> {
    const { stop, ledger, parallel } = this.#context;
    if (stop.aborted) return;
    const toChange = this.#targets.filter((host) => this.#assess(host).changes.length > 0);
    if (toChange.length === 0 && ledger.isEmpty) return;
    await inParallel(toChange, parallel, (host) =>
      this.#work.attempt(this.#step, host, () => this.#work.lock(this.#step, host)),
    );
    const lockedAtMs = performance.now();
    const all = this.#step.needs === "all" && toChange.length > 0;
    await this.#looks.everyoneSince((host) =>
      all || toChange.includes(host) ? lockedAtMs : ledger.touchedAtMs(host, reachOf(this.#step)),
    );
  }

  #assess(host: HostName) {
    return this.#fleet.assess(this.#step, host);
  }

  /** The first change of every host that still has one to make; hosts that must not or cannot go on have failed. */
  #waiting(): ReadonlyMap<HostName, Item> {
    const waiting = new Map<HostName, Item>();
    for (const host of this.#targets) {
      if (!this.#work.isAlive(host)) continue;
      const { evidence, changes } = this.#assess(host);
      const blocked = evidence.find(({ verdict }) => verdict === "blocked");
      if (blocked !== undefined) {
        this.#fail(host, `${blocked.setting}: ${blocked.because}`);
        continue;
      }
      const change = changes[0];
      if (change === undefined) continue;
      const made = this.#made.get(host)!;
      if (made.has(change.id)) {
        const words = firstWords(evidence.filter((row) => closedBy(row, change.id))) || change.why;
        this.#fail(host, `${change.id} was applied and is not in force: ${words}`);
      } else if (made.size >= MOST_CHANGES) {
        const list = [...made].join(", ");
        this.#fail(
          host,
          `after ${made.size} changes (${list}) it still wants another, ${change.id}: ${change.why}`,
        );
      } else {
        waiting.set(host, itemOf(change, evidence));
      }
    }
    return waiting;
  }

  /**
   * Rows that no change closes are waited for, until all of them came right or one turned out to want a change. A host
   * that could not be seen is looked at once more.
   */
  async #waitForWhatComesRight(): Promise<void> {
    const { stop } = this.#context;
    const lost = this.#targets.filter((host) => this.#work.isOpen(host) && !this.#work.isAlive(host));
    await Promise.all(lost.map((host) => this.#looks.at(host, true)));
    const open = this.#targets.filter((host) => this.#mayComeRight(host));
    let isChangeWanted = false;
    await untilSettled(open, {
      deadlineMs: Math.min(this.#step.settle.deadlineMs, PATIENCE_MS),
      isJustSeen: true,
      isEnough: () => stop.aborted || isChangeWanted,
      look: (host, isAlone) => this.#looks.at(host, isAlone),
      stateOf: (host) => {
        isChangeWanted ||= this.#assess(host).changes.length > 0;
        const isOpen = this.#mayComeRight(host);
        const lastsMs = isOpen ? Number.POSITIVE_INFINITY : 0;
        return { is: isOpen ? "open" : "right", isWanted: !isOpen, lastsMs };
      },
      say: (host) => {
        const row = this.#openRow(host);
        if (row !== undefined) this.#say(host, `${row.setting}: ${row.because}`);
      },
    });
  }

  #openRow(host: HostName): Evidence | undefined {
    const { evidence } = this.#assess(host);
    const open = evidence.filter(({ verdict }) => verdict !== "proven" && verdict !== "pending");
    return open.find(({ urgent }) => urgent) ?? open[0];
  }

  /** Whether it is worth looking again although there is nothing to change. */
  #mayComeRight(host: HostName): boolean {
    if (!this.#work.isAlive(host) || this.#openRow(host) === undefined) return false;
    return !this.#assess(host).evidence.some(
      ({ verdict }) => verdict === "shadowed" || verdict === "clamped",
    );
  }

  #conclude(host: HostName): void {
    const { ledger } = this.#context;
    if (!this.#work.isOpen(host)) return;
    const observation = this.#fleet.observation(host);
    if (observation?.is !== "seen") {
      const why = observation?.error.message ?? "it was not looked at";
      this.#fail(host, `the host cannot be seen any more: ${why}`);
      return;
    }
    const open = this.#openRow(host);
    if (open !== undefined) this.#fail(host, `${open.setting}: ${open.because}`);
    else ledger.proveAll(host, this.#step.name);
  }
}

/** The first two rows tell the cause; the rest mostly follow from it, and stand in the table. */
function firstWords(rows: readonly Evidence[]): string {
  const words = rows.slice(0, 2).map((row) => `${row.setting}: ${row.because}`);
  return [...words, ...(rows.length > 2 ? [`${rows.length - 2} more rows`] : [])].join("; ");
}
