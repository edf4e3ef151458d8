import type { Change } from "../contract/change.ts";
import type { HostName, Network } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import { CommandFailed, isAway } from "../errors.ts";
import type { Remote } from "../remote/remote.ts";
import { apply } from "./apply.ts";
import type { ArtefactStore } from "./artefacts.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { Emit, Hear } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { HostLocks } from "./host-locks.ts";
import type { Ledger } from "./ledger.ts";
import type { Looks } from "./looks.ts";

export interface ProvisionContext {
  readonly run: string;
  readonly parallel: number;
  readonly network: Network;
  readonly artefacts: ArtefactStore;
  readonly looks: Looks;
  readonly ledger: Ledger;
  readonly remoteOf: (host: HostName) => Remote;
  readonly emit: Emit;
  readonly hear?: Hear | undefined;
  readonly stop: AbortSignal;
  /** How long another run that changes a host is waited for. */
  readonly lockWaitMs?: number | undefined;
}

/** What a provision does on single hosts. A host that fails is out of the run, and spares the others. */
export class HostWork {
  readonly fleet: FleetView;
  readonly context: ProvisionContext;
  readonly #order: FleetView["order"];
  readonly #hosts: readonly HostName[];
  readonly #locks: HostLocks;

  /** `hosts` are those that may be changed. */
  constructor(
    fleet: FleetView,
    order: FleetView["order"],
    hosts: readonly HostName[],
    context: ProvisionContext,
  ) {
    this.fleet = fleet;
    this.context = context;
    this.#order = order;
    this.#hosts = hosts;
    this.#locks = new HostLocks(context.run, context.remoteOf);
  }

  isOpen(host: HostName): boolean {
    return this.context.ledger.failureOf(host) === undefined;
  }

  isAlive(host: HostName): boolean {
    return this.isOpen(host) && this.fleet.observation(host)?.is === "seen";
  }

  fail(step: AnyStep, host: HostName, because: string, output?: string): void {
    if (this.context.ledger.fail(host, `${step.name}: ${because}`))
      this.context.emit({ event: "failed", host, step: step.name, because, output });
  }

  /** Does work that may fail, and with it the host. */
  async attempt(step: AnyStep, host: HostName, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const isExpected = error instanceof ChangeFailed || isAway(error);
      const { message, stack } = error as Error;
      const said = error instanceof ChangeFailed || error instanceof CommandFailed ? error.output : undefined;
      // A fault of ours must not take the other hosts' proofs and the summary with it.
      this.fail(step, host, message, isExpected ? said : (said ?? stack));
    }
  }

  /** A run that was cut off may have left a change under way: it is waited for, and looked at when it has ended. */
  async lock(step: AnyStep, host: HostName): Promise<void> {
    const { emit, stop, lockWaitMs } = this.context;
    const say = (because: string) => emit({ event: "waiting", host, step: step.name, because });
    await this.#locks.take(host, { say, stop, lockWaitMs });
  }

  async unlockAll(): Promise<void> {
    await this.#locks.releaseAll();
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
