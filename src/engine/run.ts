import type { Change } from "../contract/change.ts";
import type { HostName, InventoryView } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { Evidence } from "../contract/reading.ts";
import type { AnyStep } from "../contract/step.ts";
import { ConfigurationError, isAway } from "../errors.ts";
import { breathe, heldUpMs } from "../own-time.ts";
import type { Job } from "../playbook/job.ts";
import type { Remote } from "../remote/remote.ts";
import { AS_NEXT_SAYS, type WaveRules } from "../waves.ts";
import { ArtefactStore } from "./artefacts.ts";
import { bootWords } from "./boot.ts";
import { BOOT, bootRow } from "./boot-row.ts";
import { drainables, drainWords } from "./drain.ts";
import type { Emit, Hear, HostOutcome } from "./events.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { FleetView, type HostAssessment } from "./fleet.ts";
import type { Ledger } from "./ledger.ts";
import { Looks } from "./looks.ts";
import type { Observation } from "./observe.ts";
import { provision } from "./provision.ts";
import { waitForHosts } from "./readiness.ts";
import { rebootHosts, rebootOf } from "./reboot.ts";
import { PATIENCE_MS, untilSettled } from "./settle.ts";

export interface RunOptions {
  /** Names the run, its locks and its folders on the hosts: see runName. */
  readonly run: string;
  readonly command: "plan" | "verify" | "provision" | "reboot";
  /** Whether the boot is demanded: a host that has not booted since the last change is not as wanted. */
  readonly demandsBoot?: boolean;
  /** Whether a provision reboots those whose boot is not proved. */
  readonly provesBoot?: boolean;
  /** How long a host that was rebooted may take to come up. Default: ten minutes. */
  readonly bootWaitMs?: number | undefined;
  readonly inventory: InventoryView;
  readonly job: Job;
  /** Hosts that may be changed and are reported on. Their peers are looked at all the same. */
  readonly limit: (host: HostName) => boolean;
  readonly steps: (step: StepName) => boolean;
  readonly parallel: number;
  /** How long another run that changes a host is waited for; undefined: not at all. */
  readonly lockWaitMs?: number | undefined;
  /** What the command line says about waves. */
  readonly rules?: WaveRules;
  readonly remoteOf: (host: HostName) => Remote;
  /** How long hosts that are just coming up are waited for; undefined: not at all. */
  readonly waitMs?: number | undefined;
  /** Folder on the control machine for artefacts that are built once. */
  readonly storeDirectory: string;
  /** Takes down what is done; whoever drops the run can tell from it what was under way. */
  readonly ledger: Ledger;
  readonly emit: Emit;
  /** Told what programs on the hosts say while changes are under way. */
  readonly hear?: Hear | undefined;
  /** Told once, before the summary: what was seen last of every host. */
  readonly lookedAt?: ((fleet: FleetView) => void) | undefined;
  /** Asked before the first change of a provision, after everything planned was emitted. */
  readonly confirm: () => Promise<boolean>;
  /** Aborted: no new change is begun. */
  readonly stop: AbortSignal;
}

/**
 * Looks, and for `provision` changes and proves; for `reboot` reboots and proves. Returns the exit code that the summary event carries.
 * Throws ConfigurationError when there is nothing to look at: that nothing is wrong with nothing proves nothing.
 */
export async function run(options: RunOptions): Promise<number> {
  const { emit, inventory, ledger } = options;
  const startedAtMs = performance.now();
  const fleet = new FleetView(inventory, options.job, options.rules);
  const order = fleet.order.filter(({ step }) => options.steps(step.name));
  const reported = fleet.hosts.filter(
    (host) => options.limit(host) && fleet.requests(host, options.steps).length > 0,
  );
  if (reported.length === 0) {
    throw new ConfigurationError("no host has any of these steps: see --limit, --steps and the playbook");
  }
  /** Steps whose evidence on the hosts in question other hosts are looked at for. */
  const shared = new Set(
    order
      .filter(({ step, hosts }) => step.alone !== true && hosts.some((host) => reported.includes(host)))
      .map(({ step }) => step.name),
  );
  const stepsOf = (host: HostName) => (step: StepName) =>
    options.steps(step) && (options.limit(host) || shared.has(step));
  const observed = fleet.hosts.filter((host) => fleet.requests(host, stepsOf(host)).length > 0);
  emit({
    event: "run",
    command: options.command,
    hosts: reported,
    steps: order.map(({ step }) => step.name),
  });

  const isReadOnly = options.command === "verify" || options.command === "plan";
  const { waitMs: patienceMs, remoteOf, stop } = options;
  const absent =
    patienceMs === undefined
      ? new Map<HostName, Error>()
      : await waitForHosts(reported, { patienceMs, remoteOf, emit, stop });
  for (const [host, error] of absent) fleet.see(host, { is: "unseen", error }, performance.now());
  const present = observed.filter((host) => !absent.has(host));
  const looks = new Looks(fleet, remoteOf, {
    parallel: options.parallel,
    touchedAtMs: (host) => ledger.touchedAtMs(host, { isOfMesh: false }),
  });
  const lookAt = async (host: HostName, isAlone = false) => {
    const times = await looks.at(host, { steps: stepsOf(host), isAlone });
    const durationMs = times.endedAtMs - times.beganAtMs;
    if (fleet.observation(host)?.is === "seen") emit({ event: "observed", host, durationMs });
    // A connection costs memory, and nothing more is asked.
    if (isReadOnly) void remoteOf(host).end();
    return times;
  };
  const look = () => Promise.all(present.map((host) => lookAt(host)));
  const assessments = (host: HostName) =>
    order
      .filter(({ hosts }) => hosts.includes(host))
      .map(({ step }) => ({ step, ...fleet.assess(step, host) }));

  const before = heldUpMs();
  await look();
  const heldUp = heldUpMs().totalMs - before.totalMs;
  if (heldUp > BUSY_MS) emit({ event: "note", text: busyWords(heldUp) });
  /** What is made of each host is computed here once, in pieces: whoever waits for hosts meanwhile goes on. */
  let breathedAtMs = performance.now();
  for (const host of reported) {
    assessments(host);
    breathedAtMs = await breathe(breathedAtMs);
  }
  for (const host of observed) {
    const observation = fleet.observation(host);
    if (observation?.is === "unseen") emit({ event: "unreachable", host, error: observation.error });
    const locked = observation?.is === "seen" ? observation.host.lockedBy : undefined;
    if (locked !== undefined && locked.is !== "absent" && reported.includes(host)) {
      const text =
        locked.is === "value" ? locked.value : `the name of who locked it was not read: ${locked.because}`;
      emit({ event: "note", host, text: `it is locked by hand, and no run changes it: ${text}` });
    }
  }

  /** Hosts whose state is part of what a host's evidence says. */
  const peersOf = (host: HostName) => {
    const shared = order.filter(({ step, hosts }) => step.needs === "all" && hosts.includes(host));
    return present.filter((peer) => peer !== host && shared.some(({ hosts }) => hosts.includes(peer)));
  };
  const isNothingPlanned = () =>
    options.command === "reboot" ||
    reported.every((host) => assessments(host).every(({ changes }) => changes.length === 0));
  const bootOn = (host: HostName) => {
    const observation = fleet.observation(host);
    return observation?.is === "seen" ? observation.host.boot : undefined;
  };
  /** Hosts that are to be rebooted, by what was seen last. */
  const reboots = () =>
    new Map(
      reported.flatMap((host): [HostName, Change][] => {
        const boot = bootOn(host);
        if (boot === undefined || ledger.failureOf(host) !== undefined) return [];
        if (options.command === "reboot") return [[host, rebootOf(host, REBOOT_ASKED)]];
        const isPlanned = assessments(host).some(({ changes }) => changes.length > 0);
        if (options.provesBoot !== true || (boot.is === "proved" && !isPlanned)) return [];
        return [[host, rebootOf(host, isPlanned ? REBOOT_AFTER : bootWords(boot))]];
      }),
    );
  /** What is just starting comes right by itself, or turns out to want a change, which may end the wait. */
  const waitForWhatComesRight = async ({ orChange }: { readonly orChange: boolean }) => {
    let isChangeWanted = false;
    const open = reported.filter(
      (host) => ledger.failureOf(host) === undefined && patienceFor(assessments(host)) > 0,
    );
    await untilSettled(open, {
      deadlineMs: PATIENCE_MS,
      isJustSeen: true,
      isEnough: () => stop.aborted || (orChange && isChangeWanted),
      look: (host, isAlone) => {
        const look = lookAt(host, isAlone);
        for (const peer of isAlone ? [] : peersOf(host)) looks.beside(peer, stepsOf(peer));
        return look;
      },
      stateOf: (host) => {
        const results = assessments(host);
        isChangeWanted ||= results.some(({ changes }) => changes.length > 0);
        const lastsMs = patienceFor(results);
        return { is: lastsMs > 0 ? "open" : "settled", isWanted: lastsMs === 0, lastsMs };
      },
    });
  };
  if (options.command === "provision" && isNothingPlanned()) await waitForWhatComesRight({ orChange: true });
  const planned = reboots();
  if (options.command !== "verify") {
    // Dear with many hosts: made when it is asked for.
    let drainable: ReturnType<typeof drainables> | undefined;
    const drainOf = (host: HostName) => {
      drainable ??= drainables(fleet);
      return drainWords(drainable(host));
    };
    const tell = (host: HostName, step: StepName, change: Change) => {
      const drain = change.disrupts?.drains === true ? drainOf(host) : undefined;
      emit({ event: "planned", host, step, change, ...(drain === undefined ? {} : { drain }) });
    };
    for (const host of reported) {
      for (const { step, changes } of options.command === "reboot" ? [] : assessments(host)) {
        for (const change of changes) tell(host, step.name, change);
      }
      const change = planned.get(host);
      if (change !== undefined) tell(host, BOOT, change);
    }
    for (const { step, hosts, hooks } of options.command === "reboot" ? [] : order) {
      const changed = hosts.filter(
        (host) => reported.includes(host) && fleet.assess(step, host).changes.length > 0,
      );
      if (changed.length > 0 && hooks.before.length + hooks.after.length > 0)
        emit({ event: "hooks", step: step.name, hosts: changed, hooks });
    }
    if (planned.size > 1)
      emit({ event: "waves", step: BOOT, waves: [...planned.keys()].map((host) => [host]), holdMs: 0 });
    for (const { step, hosts, limits } of options.command === "reboot" ? [] : order) {
      if (step.serial === AS_NEXT_SAYS) continue;
      const isAny = (host: HostName, is: (disrupts: NonNullable<Change["disrupts"]>) => boolean) =>
        fleet.assess(step, host).changes.some(({ disrupts }) => disrupts !== undefined && is(disrupts));
      const disrupted = hosts.filter((host) => reported.includes(host) && isAny(host, () => true));
      const inTurn = limits.waves(disrupted, (host) => isAny(host, ({ drains }) => drains === true));
      const holdMs = limits.holdMs(disrupted);
      if (inTurn.length > 1 || (inTurn.length === 1 && holdMs > 0))
        emit({ event: "waves", step: step.name, waves: inTurn, holdMs });
    }
  }
  // What is not asked for is not tried: without a yes, what is open stays drift.
  let isTried = options.command === "provision";
  if ((isTried && !isNothingPlanned()) || planned.size > 0) {
    const isConfirmed = options.stop.aborted || (await options.confirm());
    isTried &&= isConfirmed;
    if (isTried && !isNothingPlanned()) {
      await provision(fleet, order, reported, {
        run: options.run,
        parallel: options.parallel,
        network: inventory.network,
        artefacts: new ArtefactStore(options.storeDirectory, inventory.network, options.hear),
        looks,
        ledger,
        remoteOf,
        emit,
        hear: options.hear,
        stop,
        lockWaitMs: options.lockWaitMs,
      });
      // What was proved step by step is proved once more, all of it together; what was started meanwhile settles first.
      await look();
      await waitForWhatComesRight({ orChange: false });
    }
    if (!isConfirmed) emit({ event: "note", text: "Nothing was changed." });
    const isAsWanted = (host: HostName) =>
      assessments(host).every(({ evidence }) => evidence.every(({ verdict }) => verdict === "proven"));
    // What is not as wanted is not rebooted by a provision: it has failed by itself.
    const targets = new Map(
      [...reboots()].filter(([host]) => options.command === "reboot" || isAsWanted(host)),
    );
    if (isConfirmed && targets.size > 0) {
      await rebootHosts(targets, {
        ...{ run: options.run, fleet, order, observed: present, ledger, remoteOf, emit, stop },
        look: lookAt,
        lockWaitMs: options.lockWaitMs,
        bootWaitMs: options.bootWaitMs ?? BOOT_WAIT_MS,
      });
      await look();
    }
  }

  options.lookedAt?.(fleet);
  const outcomes: HostOutcome[] = [];
  for (const host of reported) {
    breathedAtMs = await breathe(breathedAtMs);
    const observation = fleet.observation(host);
    const boot = bootOn(host);
    const results = observation?.is === "seen" ? assessments(host) : [];
    const rows = results.flatMap(({ step, evidence }) => evidence.map((row) => ({ step: step.name, row })));
    if (boot !== undefined) {
      emit({ event: "boot", host, boot });
      if (options.demandsBoot === true) rows.push({ step: BOOT, row: bootRow(host, boot) });
    }
    for (const { step, row } of rows) {
      const isOnDisk = boot !== undefined && row.onDisk.is !== "inapplicable";
      const evidence = isOnDisk ? { ...row, boot: { is: boot.is, words: bootWords(boot) } } : row;
      emit({ event: "evidence", host, step, evidence });
    }
    const end = ending(rows, observation, ledger.isInterrupted(host), isTried);
    outcomes.push(ledger.outcome(host, end, remoteOf(host).execs));
  }
  const exitCode = stop.aborted ? EXIT.interrupted : exitCodeOf(outcomes);
  emit({ event: "summary", exitCode, hosts: outcomes, durationMs: performance.now() - startedAtMs });
  return exitCode;
}

/** Of all the time of a look at the fleet: less shows in no number that is told. */
const BUSY_MS = 2_000;

function busyWords(ms: number): string {
  return `this machine was busy: for ${(ms / 1000).toFixed(1)} s it could not listen to hosts, which is counted to none of them. Fewer at once (--parallel), or less beside it, and it is quicker`;
}

const BOOT_WAIT_MS = 600_000;
const REBOOT_ASKED = "you asked for it";
const REBOOT_AFTER = "the boot is to be proved after the changes";

/** How long what is open on a host may take to come right by itself; 0 when that is not to be waited for. */
function patienceFor(results: readonly ({ step: AnyStep } & HostAssessment)[]): number {
  const rows = results.flatMap(({ step, evidence }) => evidence.map(({ verdict }) => ({ step, verdict })));
  if (rows.some(({ verdict }) => verdict === "blocked")) return 0;
  const open = rows.filter(({ verdict }) => ["missing", "different", "not-in-force"].includes(verdict));
  return Math.max(0, ...open.map(({ step }) => Math.min(step.settle.deadlineMs, PATIENCE_MS)));
}

/** How a host that did not fail stands. */
function ending(
  rows: readonly { readonly step: StepName; readonly row: Evidence }[],
  observation: Observation | undefined,
  isInterrupted: boolean,
  isTried: boolean,
): Pick<HostOutcome, "is" | "because"> {
  if (observation?.is !== "seen") {
    const error = observation?.error;
    return { is: isAway(error) ? "unreachable" : "failed", because: error?.message };
  }
  if (isInterrupted) return { is: "interrupted", because: "stopped before all changes were made" };
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

function sentence(step: StepName, row: Evidence): string {
  return `${step}: ${row.setting}: ${row.because ?? row.verdict}`;
}
