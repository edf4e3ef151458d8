import { ConfigurationError, HostLost, HostUnreachable } from "../errors.ts";
import type { HostName } from "../inventory/view.ts";
import type { AnyStep, Change } from "../step.ts";
import { apply } from "./apply.ts";
import { ArtefactStore } from "./artefacts.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { HostOutcome, MadeChange } from "./events.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { FleetView } from "./fleet.ts";
import { HostLocks } from "./host-locks.ts";
import { copyOf, isAdopted, type Kept, planPutBack, putBackWords, readKept } from "./kept.ts";
import { inParallel, observeAll } from "./observe.ts";
import { putBackInWaves } from "./put-back.ts";
import type { RunOptions } from "./run.ts";

export type RestoreOptions = Omit<RunOptions, "command"> & {
  /** The run whose files are to be put back; undefined only lists what can be. */
  readonly of: string | undefined;
};

interface HostState {
  readonly changed: MadeChange[];
  readonly unproven: MadeChange[];
  failure?: string;
  isUnreachable?: boolean;
  /** Set when not all was done that was planned. */
  left?: "drift" | "interrupted";
}

/**
 * Lists what earlier runs replaced, or puts back what one of them did: step by step, as many hosts at a time as the
 * step allows, and with proof that every service is healthy with its old files. Returns the exit code that the
 * summary event carries. Throws ConfigurationError when there is nothing to do: no host is changed then.
 */
export async function restore(options: RestoreOptions): Promise<number> {
  const { emit, inventory, of, parallel, remoteOf, stop } = options;
  const startedAtMs = performance.now();
  const fleet = new FleetView(inventory, options.job);
  const order = fleet.order.filter(({ step }) => options.steps(step.name));
  const hosts = [...inventory.hosts.keys()].filter(options.limit);
  const states = new Map<HostName, HostState>(hosts.map((host) => [host, { changed: [], unproven: [] }]));
  emit({ event: "run", command: "restore", hosts, steps: order.map(({ step }) => step.name) });

  const fail = (host: HostName, step: string, because: string, output?: string) => {
    const state = states.get(host)!;
    if (state.failure !== undefined) return;
    state.failure = `${step}: ${because}`;
    emit({ event: "failed", host, step, because, output });
  };
  const end = (concerned: readonly HostName[]): number => {
    const outcomes = concerned.map((host): HostOutcome => {
      const { changed, unproven, ...state } = states.get(host)!;
      return {
        host,
        ...outcomeOf(state, of === undefined ? "listed" : "restored"),
        changed,
        unproven,
        execs: remoteOf(host).execs,
      };
    });
    const exitCode = stop.aborted ? EXIT.interrupted : exitCodeOf(outcomes);
    emit({ event: "summary", exitCode, hosts: outcomes, durationMs: performance.now() - startedAtMs });
    return exitCode;
  };

  const kept = new Map<HostName, Kept>();
  await inParallel(hosts, parallel, async (host) => {
    const beganAtMs = performance.now();
    try {
      kept.set(host, await readKept(remoteOf(host), of));
      emit({ event: "observed", host, durationMs: performance.now() - beganAtMs });
    } catch (error) {
      if (error instanceof HostUnreachable || error instanceof HostLost) {
        states.set(host, { changed: [], unproven: [], failure: error.message, isUnreachable: true });
        emit({ event: "unreachable", host, error });
      } else fail(host, "restore", (error as Error).message);
    }
  });
  const concerned: HostName[] = [];
  for (const host of hosts) {
    const runs = [...(kept.get(host)?.runs ?? [])].filter(([run]) => of === undefined || run === of);
    if (runs.length > 0 || states.get(host)!.failure !== undefined) concerned.push(host);
    for (const [run, files] of runs)
      emit({
        event: "kept",
        host,
        of: run,
        files: files.map((file) => ({
          step: file.step,
          path: file.path,
          ...(isAdopted(file) ? { adopted: copyOf(run, file.path) } : {}),
        })),
      });
  }
  if (of === undefined) return end(hosts);
  if (concerned.length === 0) {
    throw new ConfigurationError(
      `no host keeps anything of run ${of}, or it is all as it was before: "meshctl restore" lists the runs`,
    );
  }

  // Whoever has one of the steps is looked at: peers decide who may restart.
  const look = async (steps: readonly AnyStep[]) => {
    const isAsked = (name: string) => steps.some((step) => step.name === name);
    const requests = fleet.hosts.map((host) => [host, fleet.requests(host, isAsked)] as const);
    const asked = new Map(requests.filter(([, probes]) => probes.length > 0));
    for (const [host, observation] of await observeAll(asked, remoteOf, parallel))
      fleet.see(host, observation);
  };
  const factsOf = (step: AnyStep, host: HostName) => {
    const member = fleet.fleetOf(step).get(host);
    return member?.is === "seen" ? member.facts : undefined;
  };
  // A host is restored whole or not at all, unless it is asked for in parts.
  const othersOf = (host: HostName, step: AnyStep) => {
    const names = new Set((kept.get(host)?.runs.get(of) ?? []).map((file) => file.step));
    const others = order
      .map(({ step: { name } }) => name)
      .filter((name) => name !== step.name && names.has(name));
    return others.length === 0
      ? ""
      : `. What else the run replaced here goes back with --steps ${others.join(",")}`;
  };
  const isOpen = (host: HostName) => states.get(host)!.failure === undefined;
  const plansOf = (step: AnyStep): ReadonlyMap<HostName, Change> => {
    const plans = new Map<HostName, Change>();
    for (const host of concerned.filter((name) => isOpen(name) && fleet.fleetOf(step).has(name))) {
      const health = fleet.health(step, host);
      const plan = planPutBack(kept.get(host)!, of, step, health && factsOf(step, host));
      if (plan.is === "refused") fail(host, step.name, `${plan.because}${othersOf(host, step)}`);
      if (plan.is !== "planned") continue;
      if (health?.is === "undecided") fail(host, step.name, `${health.because}. Nothing was put back`);
      else plans.set(host, plan.change);
    }
    return plans;
  };

  await look(order.map(({ step }) => step));
  for (const host of concerned.filter(isOpen)) {
    for (const { step, path } of kept.get(host)!.runs.get(of) ?? []) {
      if (fleet.requests(host, (name) => name === step).length > 0) continue;
      fail(
        host,
        step,
        `the playbook has no ${step} for this host, which ${path} belongs to: name one that has (-p)`,
      );
    }
  }
  const planned = order.map(({ step }) => ({ step, plans: plansOf(step) }));
  for (const { step, plans } of planned)
    for (const [host, change] of plans)
      if (isOpen(host)) emit({ event: "planned", host, step: step.name, change });
  if (!planned.some(({ plans }) => [...plans.keys()].some(isOpen))) {
    if (concerned.some(isOpen))
      emit({ event: "note", text: `All of it is as it was before run ${of} already.` });
    return end(concerned);
  }
  if (!stop.aborted && !(await options.confirm())) {
    emit({ event: "note", text: "Nothing was changed." });
    for (const host of concerned.filter(isOpen)) states.get(host)!.left = "drift";
    return end(concerned);
  }

  const locks = new HostLocks(options.run, remoteOf);
  const artefacts = new ArtefactStore(options.storeDirectory, inventory.network);
  try {
    for (const { step, plans } of planned) {
      const targets = [...plans.keys()].filter(isOpen);
      if (stop.aborted) for (const host of targets) states.get(host)!.left = "interrupted";
      if (stop.aborted || targets.length === 0) continue;
      emit({ event: "step", step: step.name, title: step.title, hosts: targets });
      await inParallel(targets, parallel, async (host) => {
        try {
          await locks.take(host, {
            say: (because) => emit({ event: "waiting", host, step: step.name, because }),
            stop,
          });
        } catch (error) {
          fail(host, step.name, (error as Error).message);
        }
      });
      // What was planned is as old as the question; what was changed since is somebody's later work.
      await inParallel(targets.filter(isOpen), parallel, async (host) => {
        try {
          kept.set(host, await readKept(remoteOf(host), of));
        } catch (error) {
          fail(host, step.name, (error as Error).message);
        }
      });
      await look([step]);
      const changes = new Map([...plansOf(step)].filter(([host]) => targets.includes(host) && isOpen(host)));
      const beganAtMs = performance.now();
      await putBackInWaves(step, changes, {
        fleet,
        parallel,
        emit,
        look: () => look([step]),
        make: async (_step, host, change) => {
          emit({ event: "changing", host, step: step.name, change });
          states.get(host)!.unproven.push({ step: step.name, change: change.id, why: change.why });
          const context = {
            ...options,
            step: step.name,
            network: inventory.network,
            artefacts,
            alsoInstall: [],
          };
          const builder = () => Promise.reject(new ChangeFailed(host, "a restore builds nothing"));
          await apply(remoteOf(host), change, { ...context, builder });
        },
        ended(host, change, health) {
          if (health.is === "healthy") {
            states.get(host)!.changed.push(states.get(host)!.unproven.pop()!);
            emit({
              event: "changed",
              host,
              step: step.name,
              change,
              durationMs: performance.now() - beganAtMs,
            });
          } else {
            const undo = `"meshctl restore ${options.run}" undoes this restore`;
            const files = health.is === "held" ? "nothing was put back" : `${putBackWords(change)}; ${undo}`;
            fail(host, step.name, `${health.because} (${files})`);
          }
        },
      });
    }
  } finally {
    await locks.releaseAll();
  }
  return end(concerned);
}

function outcomeOf(
  state: Omit<HostState, "changed" | "unproven">,
  done: HostOutcome["is"],
): Pick<HostOutcome, "is" | "because"> {
  if (state.failure !== undefined)
    return { is: state.isUnreachable ? "unreachable" : "failed", because: state.failure };
  return state.left === undefined ? { is: done } : { is: state.left, because: "not everything was put back" };
}
