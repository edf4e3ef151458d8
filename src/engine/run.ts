import { setTimeout as sleep } from "node:timers/promises";
import { ConfigurationError, HostLost, HostUnreachable } from "../errors.ts";
import type { HostName, InventoryView } from "../inventory/view.ts";
import type { Job } from "../playbook/job.ts";
import type { Remote } from "../remote/remote.ts";
import type { AnyStep, Evidence, StepName } from "../step.ts";
import { ArtefactStore } from "./artefacts.ts";
import type { Emit, HostOutcome } from "./events.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { FleetView, type HostAssessment } from "./fleet.ts";
import { observeAll } from "./observe.ts";
import { PATIENCE_MS, Provisioner } from "./provisioner.ts";
import { waitForHosts } from "./readiness.ts";

export interface RunOptions {
  /** Names the run, its locks and its folders on the hosts: see runName. */
  readonly run: string;
  readonly command: "plan" | "verify" | "provision";
  readonly inventory: InventoryView;
  readonly job: Job;
  /** Hosts that may be changed and are reported on. Their peers are looked at all the same. */
  readonly limit: (host: HostName) => boolean;
  readonly steps: (step: StepName) => boolean;
  readonly parallel: number;
  readonly remoteOf: (host: HostName) => Remote;
  /** How long hosts that are just coming up are waited for; undefined: not at all. */
  readonly waitMs?: number | undefined;
  /** Folder on the control machine for artefacts that are built once. */
  readonly storeDirectory: string;
  readonly emit: Emit;
  /** Asked before the first change of a provision, after everything planned was emitted. */
  readonly confirm: () => Promise<boolean>;
  /** Aborted: no new change is begun. */
  readonly stop: AbortSignal;
}

/**
 * Looks, and for `provision` changes and proves. Returns the exit code that the summary event carries.
 * Throws ConfigurationError when there is nothing to look at: that nothing is wrong with nothing proves nothing.
 */
export async function run(options: RunOptions): Promise<number> {
  const { emit, inventory } = options;
  const startedAtMs = performance.now();
  const fleet = new FleetView(inventory, options.job);
  const order = fleet.order.filter(({ step }) => options.steps(step.name));
  const observed = fleet.hosts.filter((host) => fleet.requests(host, options.steps).length > 0);
  const reported = observed.filter(options.limit);
  if (reported.length === 0) {
    throw new ConfigurationError("no host has any of these steps: see --limit, --steps and the playbook");
  }
  emit({
    event: "run",
    command: options.command,
    hosts: reported,
    steps: order.map(({ step }) => step.name),
  });

  const { waitMs: patienceMs, remoteOf, stop } = options;
  const absent =
    patienceMs === undefined
      ? new Map<HostName, Error>()
      : await waitForHosts(reported, { patienceMs, remoteOf, emit, stop });
  for (const [host, error] of absent) fleet.see(host, { is: "unseen", error });
  const present = observed.filter((host) => !absent.has(host));
  const look = async () => {
    const requests = new Map(present.map((host) => [host, fleet.requests(host, options.steps)]));
    const observations = await observeAll(requests, options.remoteOf, options.parallel, (host, durationMs) =>
      emit({ event: "observed", host, durationMs }),
    );
    for (const [host, observation] of observations) fleet.see(host, observation);
  };
  const assessments = (host: HostName) =>
    order
      .filter(({ hosts }) => hosts.includes(host))
      .map(({ step }) => ({ step, ...fleet.assess(step, host) }));

  await look();
  for (const host of observed) {
    const observation = fleet.observation(host);
    if (observation?.is === "unseen") emit({ event: "unreachable", host, error: observation.error });
  }

  const outcomes = new Map<HostName, HostOutcome>();
  const provisioner = new Provisioner(fleet, order, reported, {
    run: options.run,
    parallel: options.parallel,
    network: inventory.network,
    artefacts: new ArtefactStore(options.storeDirectory, inventory.network),
    remoteOf: options.remoteOf,
    emit,
    stop: options.stop,
  });
  const isNothingPlanned = () =>
    reported.every((host) => assessments(host).every(({ changes }) => changes.length === 0));
  // What is just starting comes right by itself, or turns out to want a change.
  const isStarting = () =>
    reported.some((host) => mayComeRight(assessments(host), performance.now() - startedAtMs));
  if (options.command === "provision") {
    while (!options.stop.aborted && isNothingPlanned() && isStarting()) {
      await sleep(1000);
      await look();
    }
  }
  if (options.command !== "verify") {
    for (const host of reported) {
      for (const { step, changes } of assessments(host)) {
        for (const change of changes) emit({ event: "planned", host, step: step.name, change });
      }
    }
  }
  // What is not asked for is not tried: without a yes, what is open stays drift.
  let isTried = options.command === "provision";
  if (isTried && !isNothingPlanned()) {
    isTried = options.stop.aborted || (await options.confirm());
    if (isTried) {
      await provisioner.provision();
      // What was proved step by step is proved once more, all of it together; what was started meanwhile settles first.
      const endedAtMs = performance.now();
      const isSettling = () =>
        reported
          .filter((host) => provisioner.failureOf(host) === undefined)
          .some((host) => mayComeRight(assessments(host), performance.now() - endedAtMs));
      await look();
      while (!options.stop.aborted && isSettling()) {
        await sleep(1000);
        await look();
      }
    } else {
      emit({ event: "note", text: "Nothing was changed." });
    }
  }

  for (const host of reported) {
    const observation = fleet.observation(host);
    const results = observation?.is === "seen" ? assessments(host) : [];
    for (const { step, evidence } of results) {
      for (const row of evidence) emit({ event: "evidence", host, step: step.name, evidence: row });
    }
    const base = { host, ...provisioner.changesOn(host), execs: options.remoteOf(host).execs };
    outcomes.set(host, { ...base, ...ending(host, results, fleet, provisioner, isTried) });
  }
  const list = [...outcomes.values()];
  const exitCode = options.stop.aborted ? EXIT.interrupted : exitCodeOf(list);
  emit({ event: "summary", exitCode, hosts: list, durationMs: performance.now() - startedAtMs });
  return exitCode;
}

function mayComeRight(results: readonly ({ step: AnyStep } & HostAssessment)[], waitedMs: number): boolean {
  const rows = results.flatMap(({ step, evidence }) => evidence.map(({ verdict }) => ({ step, verdict })));
  if (rows.some(({ verdict }) => verdict === "blocked")) return false;
  return rows.some(
    ({ step, verdict }) =>
      ["missing", "different", "not-in-force"].includes(verdict) &&
      waitedMs < Math.min(step.settle.deadlineMs, PATIENCE_MS),
  );
}

function ending(
  host: HostName,
  results: readonly ({ step: AnyStep } & HostAssessment)[],
  fleet: FleetView,
  provisioner: Provisioner,
  isTried: boolean,
): Pick<HostOutcome, "is" | "because"> {
  const failure = provisioner.failureOf(host);
  // Also of a host that is gone by now: "unreachable" would say that nothing happened there.
  if (failure !== undefined) return { is: "failed", because: failure };
  const observation = fleet.observation(host);
  if (observation?.is !== "seen") {
    const error = observation?.error;
    const away = error instanceof HostUnreachable || error instanceof HostLost;
    return { is: away ? "unreachable" : "failed", because: error?.message };
  }
  if (provisioner.interrupted.has(host))
    return { is: "interrupted", because: "stopped before all changes were made" };
  const rows = results.flatMap(({ step, evidence }) => evidence.map((row) => ({ step, row })));
  const open = rows.filter(({ row }) => row.verdict !== "proven");
  if (open.length === 0) return { is: "as wanted" };
  const urgent = open.find(({ row }) => row.urgent === true);
  const unread = open.find(({ row }) => row.verdict === "unknown");
  if (unread !== undefined) {
    const told = urgent ?? unread;
    return { is: "failed", because: sentence(told.step, told.row) };
  }
  // What stands in the way says more than the rows that wait behind it.
  const first =
    urgent ??
    open.find(({ row }) => row.verdict === "blocked") ??
    open.find(({ row }) => row.verdict !== "pending");
  if (first === undefined) return { is: "drift", because: sentence(open[0]!.step, open[0]!.row) };
  return { is: isTried ? "failed" : "drift", because: sentence(first.step, first.row) };
}

function sentence(step: AnyStep, row: Evidence): string {
  return `${step.name}: ${row.setting}: ${row.because ?? row.verdict}`;
}
