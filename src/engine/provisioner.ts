import { setTimeout as sleep } from "node:timers/promises";
import { CommandFailed, HostLost, HostUnreachable } from "../errors.ts";
import type { HostName, Network } from "../inventory/view.ts";
import type { Remote } from "../remote/remote.ts";
import type { AnyStep, Change, Evidence, StepName } from "../step.ts";
import { apply } from "./apply.ts";
import type { ArtefactStore } from "./artefacts.ts";
import type { Emit, HostOutcome } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { lockScript } from "./lock.ts";
import { inParallel, observeAll } from "./observe.ts";

/** A change proposed more often than this on one host by one step is not converging. */
const MOST_CHANGES = 6;

export interface ProvisionerContext {
  readonly run: string;
  readonly parallel: number;
  readonly network: Network;
  readonly artefacts: ArtefactStore;
  readonly remoteOf: (host: HostName) => Remote;
  readonly emit: Emit;
  readonly stop: AbortSignal;
  readonly steps: (step: StepName) => boolean;
}

/** Makes changes step by step and wave by wave, and believes none of them until the host shows it. */
export class Provisioner {
  /** Hosts with changes still to make when the run was told to stop. */
  readonly interrupted = new Set<HostName>();
  /** Whether any change was attempted. */
  began = false;
  readonly #fleet: FleetView;
  readonly #order: FleetView["order"];
  readonly #hosts: readonly HostName[];
  readonly #context: ProvisionerContext;
  readonly #failures = new Map<HostName, string>();
  readonly #changed = new Map<HostName, { step: StepName; change: string; why: string }[]>();
  readonly #locks = new Map<HostName, { release(): Promise<void> }>();

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
  }

  failureOf(host: HostName): string | undefined {
    return this.#failures.get(host);
  }

  changedOn(host: HostName): HostOutcome["changed"] {
    return this.#changed.get(host) ?? [];
  }

  async provision(): Promise<void> {
    try {
      for (const { step, hosts } of this.#order) {
        const targets = hosts.filter((host) => this.#hosts.includes(host) && this.#isAlive(host));
        if (targets.length > 0) await this.#provisionStep(step, targets);
      }
    } finally {
      await Promise.all([...this.#locks.values()].map((lock) => lock.release()));
    }
  }

  #isAlive(host: HostName): boolean {
    return !this.#failures.has(host) && this.#fleet.observation(host)?.is === "seen";
  }

  async #provisionStep(step: AnyStep, targets: readonly HostName[]): Promise<void> {
    this.#context.emit({ event: "step", step: step.name, title: step.title, hosts: targets });
    const done = new Map(targets.map((host) => [host, new Set<string>()]));
    let held: { since: number; because: string } | undefined;
    for (;;) {
      const waiting = this.#waiting(step, targets, done);
      if (waiting.size === 0) break;
      if (this.#context.stop.aborted) {
        for (const host of waiting.keys()) this.interrupted.add(host);
        return;
      }
      const next = step.next([...waiting.keys()], this.#fleet.fleetOf(step));
      const wave = "hold" in next ? [] : next.filter((host) => waiting.has(host));
      if (wave.length === 0) {
        const because = "hold" in next ? next.hold : "no host may change now";
        held ??= { since: Date.now(), because };
        if (Date.now() - held.since > step.settle.deadlineMs) {
          for (const host of waiting.keys()) this.#fail(step, host, because);
          break;
        }
        for (const host of waiting.keys())
          this.#context.emit({ event: "waiting", host, step: step.name, because });
        await sleep(1000);
        await this.#lookAgain(step, targets);
        continue;
      }
      held = undefined;
      await this.#changeWave(
        step,
        wave.map((host) => ({ host, ...waiting.get(host)! })),
        done,
        targets,
      );
    }
    for (const host of targets) if (this.#isAlive(host)) this.#failUnlessProven(step, host);
  }

  /** The first change of every host that still has one to make; hosts that must not or cannot go on have failed. */
  #waiting(step: AnyStep, targets: readonly HostName[], done: ReadonlyMap<HostName, Set<string>>) {
    const waiting = new Map<HostName, { change: Change; closes: readonly string[] }>();
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
      const made = done.get(host)!;
      if (made.has(change.id) || made.size >= MOST_CHANGES) {
        const open = evidence.filter((row) => closedBy(row, change.id));
        const rows = open.map((row) => `${row.setting}: ${row.because}`).join("; ");
        this.#fail(step, host, `${change.id} was applied and is not in force: ${rows || change.why}`);
        continue;
      }
      const closes = evidence.filter((row) => closedBy(row, change.id)).map(({ setting }) => setting);
      waiting.set(host, { change, closes });
    }
    return waiting;
  }

  async #changeWave(
    step: AnyStep,
    wave: readonly { host: HostName; change: Change; closes: readonly string[] }[],
    done: ReadonlyMap<HostName, Set<string>>,
    targets: readonly HostName[],
  ): Promise<void> {
    const { emit } = this.#context;
    const startedAtMs = Date.now();
    this.began = true;
    const applied: (typeof wave)[number][] = [];
    await inParallel(wave, this.#context.parallel, async (item) => {
      const { host, change } = item;
      done.get(host)!.add(change.id);
      emit({ event: "changing", host, step: step.name, change });
      try {
        await this.#lock(host);
        const remote = this.#context.remoteOf(host);
        await apply(remote, change, { ...this.#context, alsoInstall: this.#packagesAlsoWanted(host) });
        applied.push(item);
      } catch (error) {
        this.#applyFailed(step, host, error);
      }
    });
    const open = await this.#settle(step, applied, targets);
    for (const { host, change } of applied) {
      if (open.has(host)) continue;
      const made = this.#changed.get(host) ?? [];
      this.#changed.set(host, [...made, { step: step.name, change: change.id, why: change.why }]);
      emit({ event: "changed", host, step: step.name, change, durationMs: Date.now() - startedAtMs });
    }
  }

  #applyFailed(step: AnyStep, host: HostName, error: unknown): void {
    if (error instanceof CommandFailed) {
      this.#fail(step, host, error.message, error.output);
    } else if (error instanceof HostLost || error instanceof HostUnreachable) {
      this.#fail(step, host, error.message);
    } else {
      throw error;
    }
  }

  /** Looks until every change of the wave shows in the evidence and stays, or its deadline passes. Returns who is left. */
  async #settle(
    step: AnyStep,
    applied: readonly { host: HostName; change: Change; closes: readonly string[] }[],
    targets: readonly HostName[],
  ): Promise<ReadonlySet<HostName>> {
    const { deadlineMs, stableMs } = step.settle;
    const startedAtMs = Date.now();
    const settledSince = new Map<HostName, number>();
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 1000)) {
      await this.#lookAgain(step, targets);
      const now = Date.now();
      for (const { host, change, closes } of applied) {
        if (this.#showsIn(step, host, change, closes)) {
          if (!settledSince.has(host)) settledSince.set(host, now);
        } else {
          settledSince.delete(host);
        }
      }
      const open = applied.filter(({ host, change }) => {
        const since = settledSince.get(host);
        return since === undefined || now - since < (change.activate.length > 0 ? stableMs : 0);
      });
      if (open.length === 0) return new Set();
      if (now - startedAtMs > deadlineMs) {
        return new Set(open.filter(({ host }) => !settledSince.has(host)).map(({ host }) => host));
      }
      await sleep(waitMs);
    }
  }

  #showsIn(step: AnyStep, host: HostName, change: Change, closes: readonly string[]): boolean {
    if (this.#fleet.observation(host)?.is !== "seen") return false;
    const { evidence, changes } = this.#fleet.assess(step, host);
    if (changes.some(({ id }) => id === change.id)) return false;
    return closes.every((setting) => {
      const row = evidence.find((candidate) => candidate.setting === setting);
      // Rows may pass on to the next change (installed now, running later) or go away with it.
      return row === undefined || row.verdict === "proven" || row.closedBy !== undefined;
    });
  }

  /** Looks at one step again, on every host that has it and could be seen. */
  async #lookAgain(step: AnyStep, targets: readonly HostName[]): Promise<void> {
    const members = [...this.#fleet.fleetOf(step).keys()].filter(
      (host) => targets.includes(host) || this.#fleet.observation(host)?.is === "seen",
    );
    const requests = new Map(
      members.map((host) => [host, this.#fleet.requests(host, (name) => name === step.name)]),
    );
    const observations = await observeAll(requests, this.#context.remoteOf, this.#context.parallel);
    for (const [host, observation] of observations) this.#fleet.see(host, observation);
  }

  #failUnlessProven(step: AnyStep, host: HostName): void {
    const { evidence } = this.#fleet.assess(step, host);
    const open = evidence.find(({ verdict }) => verdict !== "proven" && verdict !== "pending");
    if (open !== undefined) this.#fail(step, host, `${open.setting}: ${open.because}`);
  }

  #fail(step: AnyStep, host: HostName, because: string, output?: string): void {
    if (this.#failures.has(host)) return;
    this.#failures.set(host, `${step.name}: ${because}`);
    this.#context.emit({ event: "failed", host, step: step.name, because, output });
  }

  /** Missing packages that the selected steps claim on the host: one apt run instead of one a step. */
  #packagesAlsoWanted(host: HostName): readonly string[] {
    const observation = this.#fleet.observation(host);
    if (observation?.is !== "seen") return [];
    return [...this.#fleet.claims(host)]
      .filter(([step]) => this.#context.steps(step))
      .flatMap(([, claims]) => claims.packages ?? [])
      .filter((name) => !observation.host.packages.has(name));
  }

  /** Two runs never change one host at the same time. Throws CommandFailed naming the holder. */
  async #lock(host: HostName): Promise<void> {
    if (this.#locks.has(host)) return;
    const remote = this.#context.remoteOf(host);
    const held = await remote.hold(lockScript(this.#context.run), {
      during: "taking the host's lock",
      timeoutMs: 15_000,
    });
    if (held.firstLine !== "locked") {
      await held.release();
      throw new CommandFailed(
        host,
        "taking the host's lock",
        1,
        `another meshctl is changing this host: ${held.firstLine}`,
      );
    }
    this.#locks.set(host, held);
  }
}

function closedBy(row: Evidence, change: string): boolean {
  return row.closedBy !== undefined && "change" in row.closedBy && row.closedBy.change === change;
}
