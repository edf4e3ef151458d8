import type { Change } from "../contract/change.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import { apply } from "./apply.ts";
import { ArtefactStore } from "./artefacts.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { FleetView } from "./fleet.ts";
import { HostLocks } from "./host-locks.ts";
import { type Kept, planPutBack, putBackWords, readKept } from "./kept.ts";
import { Looks, StepLooks } from "./looks.ts";
import { inParallel } from "./observe.ts";
import { putBackInWaves } from "./put-back.ts";
import type { RunOptions } from "./run.ts";

/** What a step would put back on each host. */
interface Planned {
  readonly step: AnyStep;
  readonly plans: ReadonlyMap<HostName, Change>;
}

interface RestorationOptions extends Omit<RunOptions, "command"> {
  /** The run whose files are put back. */
  readonly of: string;
  readonly fleet: FleetView;
  readonly order: readonly AnyStep[];
  /** What hosts keep; those whose lists could not be read are not in it. */
  readonly kept: Map<HostName, Kept>;
  readonly fail: (host: HostName, step: string, because: string) => void;
}

/** Plans and carries out what puts one run's files back, on hosts whose lists were read. */
export class Restoration {
  readonly #options: RestorationOptions;
  readonly #looks: Looks;
  readonly #locks: HostLocks;

  constructor(options: RestorationOptions) {
    this.#options = options;
    this.#looks = new Looks(options.fleet, options.remoteOf, {
      parallel: options.parallel,
      touchedAtMs: (host) => options.ledger.touchedAtMs(host, { isOfMesh: false }),
    });
    this.#locks = new HostLocks(options.run, options.remoteOf);
  }

  readonly isOpen = (host: HostName): boolean =>
    this.#options.kept.has(host) && this.#options.ledger.failureOf(host) === undefined;

  /** What each step would put back. Whoever has one of the steps is looked at: peers decide who may restart. */
  async plan(concerned: readonly HostName[]): Promise<readonly Planned[]> {
    const { of, emit } = this.#options;
    const steps = (name: string) => this.#options.order.some((step) => step.name === name);
    const members = this.#options.fleet.hosts.filter(
      (host) => this.#options.fleet.requests(host, steps).length > 0,
    );
    await Promise.all(members.map((host) => this.#looks.at(host, { steps })));
    for (const host of concerned.filter(this.isOpen)) {
      for (const { step, path } of this.#options.kept.get(host)!.runs.get(of) ?? []) {
        if (this.#options.fleet.requests(host, (name) => name === step).length > 0) continue;
        const because = `the playbook has no ${step} for this host, which ${path} belongs to: name one that has (-p)`;
        this.#options.fail(host, step, because);
      }
    }
    const planned = this.#options.order.map((step) => ({ step, plans: this.#plansOf(step, concerned) }));
    // A host is restored whole or not at all: a later step's refusal takes back what an earlier one planned.
    return planned.map(({ step, plans }) => {
      const open = new Map([...plans].filter(([host]) => this.isOpen(host)));
      for (const [host, change] of open) emit({ event: "planned", host, step: step.name, change });
      return { step, plans: open };
    });
  }

  async carryOut(planned: readonly Planned[]): Promise<void> {
    const { stop, ledger, emit } = this.#options;
    try {
      for (const { step, plans } of planned) {
        const targets = [...plans.keys()].filter(this.isOpen);
        if (stop.aborted) for (const host of targets) ledger.interrupt(host);
        if (stop.aborted || targets.length === 0) continue;
        emit({ event: "step", step: step.name, title: step.title, hosts: targets });
        await this.#putBack(step, targets);
      }
    } finally {
      await this.#locks.releaseAll();
    }
  }

  #plansOf(step: AnyStep, hosts: readonly HostName[]): Planned["plans"] {
    const plans = new Map<HostName, Change>();
    const members = this.#options.fleet.fleetOf(step);
    for (const host of hosts.filter((name) => this.isOpen(name) && members.has(name))) {
      const member = members.get(host);
      const health = this.#options.fleet.health(step, host);
      const facts = health && member?.is === "seen" ? member.facts : undefined;
      const plan = planPutBack(this.#options.kept.get(host)!, this.#options.of, step, facts);
      if (plan.is === "refused")
        this.#options.fail(host, step.name, `${plan.because}${this.#othersOf(host, step)}`);
      if (plan.is !== "planned") continue;
      if (health?.is === "undecided")
        this.#options.fail(host, step.name, `${health.because}. Nothing was put back`);
      else plans.set(host, plan.change);
    }
    return plans;
  }

  /** What a refusal of one step leaves in place, and the words that ask for it. */
  #othersOf(host: HostName, step: AnyStep): string {
    const names = new Set(
      (this.#options.kept.get(host)?.runs.get(this.#options.of) ?? []).map((file) => file.step),
    );
    const others = this.#options.order
      .map(({ name }) => name)
      .filter((name) => name !== step.name && names.has(name));
    return others.length === 0
      ? ""
      : `. What else the run replaced here goes back with --steps ${others.join(",")}`;
  }

  async #putBack(step: AnyStep, targets: readonly HostName[]): Promise<void> {
    const { emit, ledger, parallel, run, stop } = this.#options;
    await this.#onEach(step, targets, (host) =>
      this.#locks.take(host, {
        say: (because) => emit({ event: "waiting", host, step: step.name, because }),
        stop,
        lockWaitMs: this.#options.lockWaitMs,
      }),
    );
    // What was planned is as old as the question; what was changed since is somebody's later work.
    await this.#onEach(step, targets.filter(this.isOpen), async (host) => {
      this.#options.kept.set(host, await readKept(this.#options.remoteOf(host), this.#options.of));
    });
    const looks = new StepLooks(this.#looks, this.#options.fleet, step, () => true);
    await looks.everyone();
    const changes = new Map([...this.#plansOf(step, targets)].filter(([host]) => this.isOpen(host)));
    const beganAtMs = performance.now();
    await putBackInWaves(step, changes, {
      fleet: this.#options.fleet,
      looks,
      parallel,
      emit,
      make: (_step, host, change) => this.#make(step, host, change),
      ended: (host, change, health) => {
        if (health.is === "healthy") {
          ledger.end(host, true);
          const durationMs = performance.now() - beganAtMs;
          emit({ event: "changed", host, step: step.name, change, durationMs });
        } else {
          const undo = `"meshctl restore ${run}" undoes this restore`;
          const files = health.is === "held" ? "nothing was put back" : `${putBackWords(change)}; ${undo}`;
          this.#options.fail(host, step.name, `${health.because} (${files})`);
        }
      },
    });
  }

  async #make(step: AnyStep, host: HostName, change: Change): Promise<void> {
    const { emit, ledger, inventory, remoteOf, storeDirectory } = this.#options;
    emit({ event: "changing", host, step: step.name, change });
    ledger.begin(host, step.name, change);
    try {
      await apply(remoteOf(host), change, {
        ...this.#options,
        step: step.name,
        network: inventory.network,
        artefacts: new ArtefactStore(storeDirectory, inventory.network),
        alsoInstall: [],
        builder: () => Promise.reject(new ChangeFailed(host, "a restore builds nothing")),
      });
    } finally {
      ledger.touch(host, { isOfMesh: true });
    }
  }

  /** A host that the work fails on is left alone from then on. */
  #onEach(step: AnyStep, hosts: readonly HostName[], work: (host: HostName) => Promise<void>): Promise<void> {
    return inParallel(hosts, this.#options.parallel, async (host) => {
      try {
        await work(host);
      } catch (error) {
        this.#options.fail(host, step.name, (error as Error).message);
      }
    });
  }
}
