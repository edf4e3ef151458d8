import type { Change } from "../contract/change.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { AnyStep, Health } from "../contract/step.ts";
import type { Remote } from "../remote/remote.ts";
import { everyone } from "../waves.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { Emit } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { planPutBack, putBackWords, readKept } from "./kept.ts";
import type { StepLooks } from "./looks.ts";
import { inParallel } from "./observe.ts";
import { BROKEN_MS, untilSettled } from "./settle.ts";
import { waves } from "./waves.ts";

interface PutBackContext {
  readonly fleet: FleetView;
  readonly parallel: number;
  readonly emit: Emit;
  readonly looks: StepLooks;
  /** Makes a change on a host that is locked. Throws ChangeFailed, HostLost, HostUnreachable. */
  readonly make: (step: AnyStep, host: HostName, change: Change) => Promise<void>;
  readonly ended: (host: HostName, change: Change, end: PutBackEnd) => void;
}

/** How putting files back ended on a host. "held": nothing was done. */
type PutBackEnd = Health | { readonly is: "held"; readonly because: string };

/**
 * Makes changes that put files back, as many hosts at a time as the step allows to be activated, and looks until
 * every service is healthy with its old files and stays so. Calls `ended` once for every change. Never throws.
 */
export async function putBackInWaves(
  step: AnyStep,
  changes: ReadonlyMap<HostName, Change>,
  context: PutBackContext,
): Promise<void> {
  const { fleet, looks, emit, make } = context;
  const end = (host: HostName, is: PutBackEnd) => context.ended(host, changes.get(host)!, is);
  const waiting = new Map(changes);
  const inTurn = waves(step, {
    fleet,
    looks,
    waiting: () => waiting,
    next: (all, members) => step.service?.next?.(all, members) ?? everyone(all),
    nobody: "no host may be restarted now",
    say: (host, because) => emit({ event: "waiting", host, step: step.name, because }),
    giveUp: (host, because) => end(host, { is: "held", because }),
  });
  for await (const wave of inTurn) {
    const made: HostName[] = [];
    await inParallel([...wave], context.parallel, async ([host, change]) => {
      try {
        await make(step, host, change);
        made.push(host);
      } catch (error) {
        // What a lost connection left is not known; what refused is.
        const is = error instanceof ChangeFailed ? "broken" : "undecided";
        end(host, { is, because: (error as Error).message });
      }
      waiting.delete(host);
    });
    for (const [host, { health }] of await proveHealthy(step, made, context)) end(host, health);
  }
}

/** Looks until every service is healthy and stays so, at most until the step's deadline. */
function proveHealthy(
  step: AnyStep,
  hosts: readonly HostName[],
  { fleet, looks, emit }: Pick<PutBackContext, "fleet" | "looks" | "emit">,
) {
  const { deadlineMs, stableMs } = step.settle;
  const sinceMs = performance.now();
  const lastsMs = { healthy: stableMs, broken: Math.min(deadlineMs, BROKEN_MS), undecided: deadlineMs };
  return untilSettled(hosts, {
    deadlineMs: deadlineMs + stableMs,
    look: (host, isAlone) => looks.at(host, isAlone),
    stateOf(host) {
      const health = fleet.health(step, host, sinceMs) ?? { is: "healthy" };
      return { is: health.is, isWanted: health.is === "healthy", lastsMs: lastsMs[health.is], health };
    },
    say(host, { health }) {
      if (health.is !== "healthy") emit({ event: "waiting", host, step: step.name, because: health.because });
    },
  });
}

/** A change that was begun and that does not come into force. */
export interface Failure {
  readonly host: HostName;
  /** What did not come up, with its evidence. */
  readonly because: string;
  readonly output?: string | undefined;
  /** How the service was before this run changed anything of the step; undefined when there was none. */
  readonly before: Health | undefined;
}

/** What was done about a failure, in words that follow those of the failure. */
export interface Answer {
  readonly words: string;
  readonly isPutBack: boolean;
}

/**
 * Puts back what this run replaced for a step on hosts where its service is broken since: all of a step's files or none.
 * What was broken before, what must not be put back and what this run did not change stays, and is said. Never throws.
 */
export async function answerFailures(
  run: string,
  step: AnyStep,
  failures: readonly Failure[],
  remoteOf: (host: HostName) => Remote,
  context: Omit<PutBackContext, "ended">,
): Promise<ReadonlyMap<HostName, Answer>> {
  const { fleet, emit } = context;
  const answers = new Map<HostName, Answer>();
  const plans = new Map<HostName, Change | string>();
  await inParallel(failures, context.parallel, async ({ host, before }) => {
    plans.set(host, await changeOrRefusal(run, step, host, before, remoteOf(host), fleet));
  });
  const changes = new Map<HostName, Change>();
  for (const { host, because } of failures) {
    const plan = plans.get(host)!;
    if (typeof plan === "string") {
      answers.set(host, { words: plan, isPutBack: false });
    } else {
      changes.set(host, plan);
      emit({ event: "putting-back", host, step: step.name, because, files: pathsOf(plan) });
    }
  }
  await putBackInWaves(step, changes, {
    ...context,
    ended(host, change, end) {
      const words = endWords(step, change, end);
      const health = end.is === "held" ? "undecided" : end.is;
      emit({ event: "put-back", host, step: step.name, files: pathsOf(change), health, because: words });
      answers.set(host, { words, isPutBack: end.is !== "held" });
    },
  });
  return answers;
}

/** The change that puts the files back, or why that is not done. */
async function changeOrRefusal(
  run: string,
  step: AnyStep,
  host: HostName,
  before: Health | undefined,
  remote: Remote,
  fleet: FleetView,
): Promise<Change | string> {
  try {
    const kept = await readKept(remote, run);
    const facts = fleet.fleetOf(step).get(host);
    const seen = facts?.is === "seen" ? facts.facts : undefined;
    const plan = planPutBack(kept, run, step, seen, "left");
    if (plan.is === "refused") return `the old configuration was not put back: ${plan.because}`;
    if (plan.is === "nothing") {
      const earlier = [...kept.runs].findLast(([, files]) =>
        files.some((file) => file.step === step.name),
      )?.[0];
      return earlier === undefined
        ? "this run replaced none of its files, so there is nothing to put back"
        : `this run replaced none of its files; run ${earlier} did, and "meshctl restore ${earlier}" puts back what was there before it`;
    }
    if (before?.is === "broken") {
      return `it did not serve before this run either (${before.because}), so nothing was put back; "meshctl restore ${run}" would do it`;
    }
    return plan.change;
  } catch (error) {
    return `the old configuration was not put back: ${(error as Error).message}`;
  }
}

function endWords(step: AnyStep, change: Change, end: PutBackEnd): string {
  const files = putBackWords(change);
  switch (end.is) {
    case "healthy":
      return `the old configuration was put back, and the service is healthy with it: ${files}`;
    case "broken":
      return `putting the old configuration back did not help either: ${end.because}`;
    case "undecided":
      return `putting the old configuration back (${files}) was begun, and what became of the service is unknown: ${end.because}`;
    case "held":
      return `the old configuration was not put back: ${end.because}; "meshctl restore" with --steps ${step.name} does it later`;
  }
}

function pathsOf({ commands }: Change): readonly string[] {
  return commands.flatMap((command) => (command.kind === "restore" ? [command.path] : []));
}
