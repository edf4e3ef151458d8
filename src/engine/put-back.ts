import { setTimeout as sleep } from "node:timers/promises";
import type { HostName } from "../inventory/view.ts";
import type { Remote } from "../remote/remote.ts";
import type { AnyStep, Change, Health } from "../step.ts";
import { everyone } from "../waves.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { Emit } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { planPutBack, putBackWords, readKept } from "./kept.ts";
import { inParallel } from "./observe.ts";

/** How long a service may be seen broken before nobody waits any longer for its deadline. */
export const BROKEN_MS = 30_000;

interface PutBackContext {
  readonly fleet: FleetView;
  readonly parallel: number;
  readonly emit: Emit;
  /** Looks at the step again on every host that has it. */
  readonly look: (step: AnyStep) => Promise<void>;
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
  const { fleet, emit, look, make } = context;
  const end = (host: HostName, is: PutBackEnd) => context.ended(host, changes.get(host)!, is);
  const waiting = new Map(changes);
  let heldSinceMs: number | undefined;
  while (waiting.size > 0) {
    const next =
      step.service?.next?.([...waiting.keys()], fleet.fleetOf(step)) ?? everyone([...waiting.keys()]);
    const wave = "hold" in next ? [] : next.filter((host) => waiting.has(host));
    if (wave.length === 0) {
      const because = "hold" in next ? next.hold : "no host may be restarted now";
      heldSinceMs ??= performance.now();
      if (performance.now() - heldSinceMs > step.settle.deadlineMs) {
        for (const host of waiting.keys()) end(host, { is: "held", because });
        break;
      }
      for (const host of waiting.keys()) emit({ event: "waiting", host, step: step.name, because });
      await sleep(1000);
      await look(step);
      continue;
    }
    heldSinceMs = undefined;
    const made: HostName[] = [];
    await inParallel(wave, context.parallel, async (host) => {
      try {
        await make(step, host, waiting.get(host)!);
        made.push(host);
      } catch (error) {
        // What a lost connection left is not known; what refused is.
        const is = error instanceof ChangeFailed ? "broken" : "undecided";
        end(host, { is, because: (error as Error).message });
      }
      waiting.delete(host);
    });
    for (const [host, health] of await proveHealthy(step, made, context)) end(host, health);
  }
}

/** Looks until every service is healthy and stays so, at most until the step's deadline. */
async function proveHealthy(
  step: AnyStep,
  hosts: readonly HostName[],
  { fleet, emit, look }: Pick<PutBackContext, "fleet" | "emit" | "look">,
): Promise<ReadonlyMap<HostName, Health>> {
  const { deadlineMs, stableMs } = step.settle;
  const startedAtMs = performance.now();
  const since = new Map<HostName, { readonly is: Health["is"]; readonly ms: number }>();
  const ends = new Map<HostName, Health>();
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 1000)) {
    await look(step);
    const nowMs = performance.now();
    for (const host of hosts.filter((host) => !ends.has(host))) {
      const health = fleet.health(step, host) ?? { is: "healthy" };
      const before = since.get(host);
      const ms = before?.is === health.is ? before.ms : nowMs;
      since.set(host, { is: health.is, ms });
      const lastsMs = { healthy: stableMs, broken: Math.min(deadlineMs, BROKEN_MS), undecided: deadlineMs };
      if (nowMs - ms >= lastsMs[health.is] || nowMs - startedAtMs > deadlineMs + stableMs)
        ends.set(host, health);
      else if (health.is !== "healthy")
        emit({ event: "waiting", host, step: step.name, because: health.because });
    }
    if (ends.size === hosts.length) return ends;
    await sleep(waitMs);
  }
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
