import { CommandFailed, HostLost, HostUnreachable } from "../errors.ts";
import type { HostName, Network } from "../inventory/view.ts";
import type { Remote } from "../remote/remote.ts";
import type { AnyStep, Change } from "../step.ts";
import { apply } from "./apply.ts";
import type { ArtefactStore } from "./artefacts.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { Emit } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { HostLocks } from "./host-locks.ts";
import type { Ledger } from "./ledger.ts";
import { type Looks, StepLooks } from "./looks.ts";
import { StepProvision } from "./step-provision.ts";

export interface ProvisionerContext {
  readonly run: string;
  readonly parallel: number;
  readonly network: Network;
  readonly artefacts: ArtefactStore;
  readonly looks: Looks;
  readonly ledger: Ledger;
  readonly remoteOf: (host: HostName) => Remote;
  readonly emit: Emit;
  readonly stop: AbortSignal;
}

/** Makes changes step by step, on hosts that it locks, and spares the others what one host fails with. */
export class Provisioner {
  readonly fleet: FleetView;
  readonly context: ProvisionerContext;
  readonly #order: FleetView["order"];
  readonly #hosts: readonly HostName[];
  readonly #locks: HostLocks;

  constructor(
    fleet: FleetView,
    order: FleetView["order"],
    hosts: readonly HostName[],
    context: ProvisionerContext,
  ) {
    this.fleet = fleet;
    this.context = context;
    this.#order = order;
    this.#hosts = hosts;
    this.#locks = new HostLocks(context.run, context.remoteOf);
  }

  async provision(): Promise<void> {
    const { ledger, looks } = this.context;
    try {
      for (const { step, hosts } of this.#order) {
        const targets = hosts.filter((host) => this.#hosts.includes(host) && this.isAlive(host));
        if (targets.length === 0) continue;
        const isSought = (host: HostName) => targets.includes(host) && ledger.failureOf(host) === undefined;
        const stepLooks = new StepLooks(looks, this.fleet, step, isSought);
        await this.#tryStep(step, targets, stepLooks);
      }
    } finally {
      await this.#locks.releaseAll();
    }
  }

  /** A step that stumbles fails its hosts, and the next steps' other hosts and the summary are spared. */
  async #tryStep(step: AnyStep, targets: readonly HostName[], looks: StepLooks): Promise<void> {
    try {
      await new StepProvision(this, step, targets, looks).provision();
    } catch (error) {
      const { message, stack } = error as Error;
      for (const host of targets)
        if (this.isAlive(host)) this.fail(step, host, `a fault of meshctl: ${message}`, stack);
    }
  }

  isAlive(host: HostName): boolean {
    return this.context.ledger.failureOf(host) === undefined && this.fleet.observation(host)?.is === "seen";
  }

  fail(step: AnyStep, host: HostName, because: string, output?: string): void {
    if (this.context.ledger.fail(host, `${step.name}: ${because}`))
      this.context.emit({ event: "failed", host, step: step.name, because, output });
  }

  /** Whether the work was done. A host that fails is out of the run, and spares the others. */
  async attempt(step: AnyStep, host: HostName, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const isExpected =
        error instanceof ChangeFailed || error instanceof HostLost || error instanceof HostUnreachable;
      const { message, stack } = error as Error;
      const said = error instanceof ChangeFailed || error instanceof CommandFailed ? error.output : undefined;
      // A fault of ours must not take the other hosts' proofs and the summary with it.
      this.fail(step, host, message, isExpected ? said : (said ?? stack));
      return false;
    }
  }

  /** A run that was cut off may have left a change under way: it is waited for, and looked at when it has ended. */
  async lock(step: AnyStep, host: HostName): Promise<void> {
    const { emit, stop } = this.context;
    const say = (because: string) => emit({ event: "waiting", host, step: step.name, because });
    await this.#locks.take(host, { say, stop });
  }

  /** Throws ChangeFailed with what the host said, HostLost when the outcome is unknown. */
  async make(step: AnyStep, host: HostName, change: Change): Promise<void> {
    await apply(this.context.remoteOf(host), change, {
      ...this.context,
      step: step.name,
      builder: (name) => this.#builder(step, name),
      alsoInstall: this.#packagesAlsoPlanned(host),
    });
  }

  /** A build installs compilers: the build host is changed by it. Throws ChangeFailed when it is to be left alone. */
  async #builder(step: AnyStep, host: HostName): Promise<Remote> {
    if (!this.#hosts.includes(host)) {
      throw new ChangeFailed(
        host,
        `it has to be built on ${host} first, which this run leaves alone: let --limit include ${host}, or name another build_host`,
      );
    }
    await this.lock(step, host);
    return this.context.remoteOf(host);
  }

  /** Missing packages that the plan installs on the host anyway, whatever the step: one apt run instead of one a step. */
  #packagesAlsoPlanned(host: HostName): readonly string[] {
    const observation = this.fleet.observation(host);
    if (observation?.is !== "seen") return [];
    return this.#order
      .filter(({ hosts }) => hosts.includes(host))
      .map(({ step }) => this.fleet.assess(step, host))
      .filter(({ evidence }) => evidence.every(({ verdict }) => verdict !== "blocked"))
      .flatMap(({ changes }) => changes.flatMap(({ commands, activate }) => [...commands, ...activate]))
      .flatMap((command) => (command.kind === "install" ? command.packages : []))
      .filter((name) => !observation.host.packages.has(name));
  }
}
