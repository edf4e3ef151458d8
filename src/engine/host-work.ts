import type { Artefact, Change, Command } from "../contract/change.ts";
import type { HostName, Network } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { AnyStep, Health } from "../contract/step.ts";
import { CommandFailed, isAway } from "../errors.ts";
import type { Remote } from "../remote/remote.ts";
import { apply } from "./apply.ts";
import type { ArtefactStore } from "./artefacts.ts";
import { ChangeFailed } from "./change-failed.ts";
import { commandsOf } from "./commands-of.ts";
import type { Emit, Hear } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { HostLocks } from "./host-locks.ts";
import { type Ledger, reachOf } from "./ledger.ts";
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
  /** The steps of this run. */
  readonly order: FleetView["order"];
  readonly #hosts: readonly HostName[];
  readonly #locks: HostLocks;
  /** How services were before this run changed anything of their steps. */
  readonly #healthBefore = new Map<HostName, Map<StepName, Health | undefined>>();
  #planned: readonly PlannedArtefact[] | undefined;

  /** `hosts` are those that may be changed. */
  constructor(
    fleet: FleetView,
    order: FleetView["order"],
    hosts: readonly HostName[],
    context: ProvisionContext,
  ) {
    this.fleet = fleet;
    this.context = context;
    this.order = order;
    this.#hosts = hosts;
    this.#locks = new HostLocks(context.run, context.remoteOf);
  }

  isOpen(host: HostName): boolean {
    return this.context.ledger.failureOf(host) === undefined;
  }

  isAlive(host: HostName): boolean {
    return this.isOpen(host) && this.fleet.observation(host)?.is === "seen";
  }

  /** Whether a step is not to change the host: it fails there, and gets nothing of what would come later. */
  isBlocked(host: HostName): boolean {
    return this.order.some(
      ({ step, hosts }) =>
        hosts.includes(host) &&
        this.fleet.assess(step, host).evidence.some(({ verdict }) => verdict === "blocked"),
    );
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

  /** Does work of a step on hosts of which it fails each itself. A fault of ours fails those alone, too. */
  async guard<T>(step: AnyStep, hosts: readonly HostName[], work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const { message, stack } = error as Error;
      for (const host of hosts)
        if (this.isAlive(host)) this.fail(step, host, `a fault of meshctl: ${message}`, stack);
      return undefined;
    }
  }

  /** How a step's service was on a host when this was first asked; undefined where it had none. */
  healthBefore(step: AnyStep, host: HostName): Health | undefined {
    const known = this.#healthBefore.get(host) ?? new Map<StepName, Health | undefined>();
    this.#healthBefore.set(host, known);
    if (!known.has(step.name)) known.set(step.name, this.fleet.health(step, host));
    return known.get(step.name);
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
    const isInstalling = commandsOf(change).some(({ kind }) => kind === "install");
    const alsoInstall = isInstalling ? await this.#alsoInstalled(step, host) : [];
    const touched = [host];
    const builder = (name: HostName) => {
      touched.push(name);
      return this.#builder(name, () => this.lock(step, name));
    };
    try {
      await apply(this.context.remoteOf(host), change, {
        ...this.context,
        step: step.name,
        builder,
        alsoInstall,
      });
    } finally {
      for (const each of touched) this.context.ledger.touch(each, reachOf(step));
    }
  }

  /**
   * Begins what the run will have to build, where all that it takes is there by now: other changes are made meanwhile. What
   * cannot be begun is built when its turn comes, and tells then what is wrong.
   */
  async beginBuilds(): Promise<void> {
    await Promise.all(
      this.#plannedArtefacts().map(async ({ artefact, isHooked }) => {
        // What comes before the step's changes comes before this.
        if (isHooked) return;
        const { buildHost, buildPackages } = artefact;
        const observation = this.fleet.observation(buildHost);
        if (!this.isAlive(buildHost) || observation?.is !== "seen" || this.isBlocked(buildHost)) return;
        if (buildPackages.some((name) => !observation.host.packages.has(name))) return;
        try {
          // A lock that another run holds is waited for at the step: nothing else waits for it.
          await this.context.artefacts.begin(artefact, (name) =>
            this.#builder(name, () => this.#locks.take(name)),
          );
        } catch (error) {
          if (!(error instanceof ChangeFailed) && !isAway(error)) throw error;
        }
      }),
    );
  }

  /** A build installs compilers: the build host is changed by it. Throws ChangeFailed when it is to be left alone. */
  async #builder(host: HostName, lock: () => Promise<void>): Promise<Remote> {
    if (!this.#hosts.includes(host)) {
      throw new ChangeFailed(
        host,
        `it has to be built on ${host} first, which this run leaves alone: let --limit include ${host}, or name another build_host`,
      );
    }
    await lock();
    return this.context.remoteOf(host);
  }

  /** Missing packages that the run installs on the host anyway: one apt run instead of one a step and one a build. */
  async #alsoInstalled(step: AnyStep, host: HostName): Promise<readonly string[]> {
    const observation = this.fleet.observation(host);
    if (observation?.is !== "seen") return [];
    const riding = this.order
      .filter((each) => each.hosts.includes(host) && (each.step === step || !hasHooks(each)))
      .map((each) => ({ each: each.step, ...this.fleet.assess(each.step, host) }))
      .filter(({ evidence }) => evidence.every(({ verdict }) => verdict !== "blocked"));
    const planned = riding.flatMap(({ each, changes }) => {
      const packages = changes.flatMap(commandsOf).flatMap(packagesOf);
      // How its service is now it will not be asked again: one that this run installs is nobody's yet.
      if (packages.length > 0) this.healthBefore(each, host);
      return packages;
    });
    const built: string[] = [];
    for (const { artefact } of this.#plannedArtefacts()) {
      if (artefact.buildHost !== host || (await this.context.artefacts.has(artefact))) continue;
      built.push(...artefact.buildPackages);
    }
    return [...planned, ...built].filter((name) => !observation.host.packages.has(name));
  }

  /** What the first plan of the run places on its hosts: what it finds in the store needs no build. */
  #plannedArtefacts(): readonly PlannedArtefact[] {
    this.#planned ??= [
      ...new Map(
        this.order
          .flatMap((placed) =>
            placed.hosts
              .filter((host) => this.#hosts.includes(host) && this.isAlive(host))
              .flatMap((host) => this.fleet.assess(placed.step, host).changes.flatMap(commandsOf))
              .flatMap((command) => (command.kind === "place" ? [command] : []))
              .map(({ artefact }) => ({ artefact, isHooked: hasHooks(placed) })),
          )
          .map((planned) => [planned.artefact.key, planned]),
      ).values(),
    ];
    return this.#planned;
  }
}

interface PlannedArtefact {
  readonly artefact: Artefact;
  /** Whether a hook comes before or after the step that places it. */
  readonly isHooked: boolean;
}

function packagesOf(command: Command): readonly string[] {
  return command.kind === "install" ? command.packages : [];
}

/** What a hook is to run before, or after, is not done beside another step. */
export function hasHooks({ hooks }: FleetView["order"][number]): boolean {
  return hooks.before.length + hooks.after.length > 0;
}
