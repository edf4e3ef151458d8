import type { Change } from "../contract/change.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { Evidence } from "../contract/reading.ts";
import type { AnyStep } from "../contract/step.ts";
import { HostLost } from "../errors.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { BOOT } from "./boot-row.ts";
import { ChangeFailed } from "./change-failed.ts";
import { Drains } from "./drains.ts";
import type { Emit } from "./events.ts";
import type { FleetView } from "./fleet.ts";
import { HostLocks } from "./host-locks.ts";
import type { Ledger } from "./ledger.ts";
import type { LookTimes } from "./looks.ts";
import { waitForHosts } from "./readiness.ts";
import { runChange } from "./run-change.ts";
import { untilSettled } from "./settle.ts";

const SCRIPT = new URL("./commands/reboot.sh", import.meta.url);
/** How long a host may be held up by others: until a quorum is whole, for one. */
const HELD_MS = 120_000;
/** How long what came up may show the same rows open before nobody waits any longer for it. */
const UNCHANGED_MS = 60_000;
/** Services may take so long to come up, whatever they take at a change. */
const MOST_SETTLING_MS = 300_000;
const MOST_NAMED = 3;

/** The change that a reboot is. */
export function rebootOf(host: HostName, why: string): Change {
  return {
    id: "reboot",
    why,
    disrupts: { kind: "reboot", what: host, drains: true },
    commands: [],
    activate: [],
  };
}

export interface RebootContext {
  readonly run: string;
  readonly fleet: FleetView;
  /** Steps of the run, in playbook order. */
  readonly order: FleetView["order"];
  /** Hosts that are looked at: those to reboot and their peers. */
  readonly observed: readonly HostName[];
  readonly ledger: Ledger;
  readonly remoteOf: (host: HostName) => Remote;
  /** Looks at one host, all steps. Never rejects. */
  readonly look: (host: HostName, isAlone?: boolean) => Promise<LookTimes>;
  readonly emit: Emit;
  readonly stop: AbortSignal;
  readonly lockWaitMs?: number | undefined;
  /** How long a host may take to come up. */
  readonly bootWaitMs: number;
}

/**
 * Reboots hosts one after the other, each only while every step lets its service be started anew, and goes on when the host
 * answers from another boot, and it and its peers show nothing open that they did not show before. The first that does not
 * ends it, unless more may fail. What is under way when the run is told to stop is finished. Never rejects.
 */
export async function rebootHosts(
  targets: ReadonlyMap<HostName, Change>,
  context: RebootContext,
): Promise<void> {
  await new Reboots(targets, context).all();
}

type Turn = { readonly host: HostName } | { readonly hold: string };

class Reboots {
  readonly #context: RebootContext;
  readonly #targets: ReadonlyMap<HostName, Change>;
  readonly #locks: HostLocks;
  /** Open rows from before the first reboot: no reboot is to blame for them. */
  readonly #before: ReadonlyMap<HostName, ReadonlySet<string>>;
  readonly #drains: Drains;
  #left: HostName[];

  constructor(targets: ReadonlyMap<HostName, Change>, context: RebootContext) {
    this.#context = context;
    this.#targets = targets;
    this.#left = [...targets.keys()];
    this.#locks = new HostLocks(context.run, context.remoteOf);
    const lookAt = (hosts: readonly HostName[]) => Promise.all(hosts.map((host) => context.look(host)));
    this.#drains = new Drains(BOOT, { ...context, lookAt });
    this.#before = new Map(
      context.observed.map((host) => [host, new Set(this.#open(host).map(({ key }) => key))]),
    );
  }

  async all(): Promise<void> {
    const { stop, emit, ledger } = this.#context;
    if (!stop.aborted)
      emit({ event: "step", step: BOOT, title: "Reboots, one host after the other", hosts: this.#left });
    try {
      while (this.#left.length > 0 && !stop.aborted) {
        const host = await this.#next();
        if (host === undefined) break;
        this.#left = this.#left.filter((each) => each !== host);
        await this.#attempt(host);
        const because = this.#holdBack();
        if (because === undefined) continue;
        for (const left of this.#left) this.#fail(left, `left as it is: ${because}`);
        emit({ event: "note", text: `The run stops here: ${because}.` });
        this.#left = [];
      }
    } finally {
      if (stop.aborted) for (const host of this.#left) ledger.interrupt(host);
      await this.#locks.releaseAll();
    }
  }

  /** Who may go now, locked and by a look of after that; undefined when nobody may for too long, or the run is to stop. */
  async #next(): Promise<HostName | undefined> {
    const { stop, emit } = this.#context;
    for (;;) {
      const turn = await this.#turnInTime();
      if (stop.aborted) return undefined;
      if ("hold" in turn) {
        for (const host of this.#left) this.#fail(host, `not rebooted: ${turn.hold}`);
        this.#left = [];
        return undefined;
      }
      const { host } = turn;
      try {
        const say = (because: string) => emit({ event: "waiting", host, step: BOOT, because });
        await this.#locks.take(host, { say, stop, lockWaitMs: this.#context.lockWaitMs });
      } catch (error) {
        this.#fail(host, (error as Error).message);
        return host;
      }
      // Somebody may have had the lock until now.
      await this.#lookAtAll();
      const again = this.#turn();
      if (stop.aborted) return undefined;
      if ("host" in again && again.host === host) return host;
    }
  }

  async #turnInTime(): Promise<Turn> {
    const { stop, emit } = this.#context;
    const held = await untilSettled([BOOT], {
      deadlineMs: HELD_MS,
      isJustSeen: true,
      isEnough: () => stop.aborted,
      look: () => this.#lookAtAll(),
      stateOf: () => {
        const turn = this.#turn();
        const isHeld = "hold" in turn;
        return {
          is: isHeld ? "held" : "turn",
          isWanted: !isHeld,
          lastsMs: isHeld ? Number.POSITIVE_INFINITY : 0,
          turn,
        };
      },
      say: (_, { turn }) => {
        if ("hold" in turn)
          for (const host of this.#left) emit({ event: "waiting", host, step: BOOT, because: turn.hold });
      },
    });
    return held.get(BOOT)!.turn;
  }

  /** The first of those that wait whose services may all be started anew. */
  #turn(): Turn {
    const { order, fleet } = this.#context;
    let hold = "no host may be rebooted now";
    const allowed = order.map(({ step, hosts }) => {
      const waiting = this.#left.filter((host) => hosts.includes(host));
      if (waiting.length === 0 || step.service?.next === undefined) return { hosts, turn: waiting };
      const turn = step.service.next(waiting, fleet.fleetOf(step));
      if ("hold" in turn) hold = `${step.name}: ${turn.hold}`;
      return { hosts, turn: "hold" in turn ? [] : turn };
    });
    const host = this.#left.find(
      (each) =>
        fleet.observation(each)?.is === "seen" &&
        allowed.every(({ hosts, turn }) => !hosts.includes(each) || turn.includes(each)),
    );
    const away = this.#left.find((each) => fleet.observation(each)?.is !== "seen");
    if (host !== undefined) return { host };
    return { hold: away === undefined ? hold : `${away} cannot be seen` };
  }

  async #attempt(host: HostName): Promise<void> {
    const { ledger, emit, fleet, remoteOf } = this.#context;
    const observation = fleet.observation(host);
    if (observation?.is !== "seen" || ledger.failureOf(host) !== undefined) return;
    const change = this.#targets.get(host)!;
    const { bootId } = observation.host;
    const startedAtMs = performance.now();
    emit({ event: "changing", host, step: BOOT, change });
    ledger.begin(host, BOOT, change);
    const drained = await this.#drains.begin(host, this.#context.observed, 0);
    try {
      await goDown(remoteOf(host), bootId);
    } catch (error) {
      await this.#drains.end(drained);
      this.#fail(host, (error as Error).message, error instanceof ChangeFailed ? error.output : undefined);
      return;
    }
    const lost = await waitForHosts([host], {
      ...this.#context,
      patienceMs: this.#context.bootWaitMs,
      // What has gone down is waited for whatever else is to stop.
      stop: new AbortController().signal,
      flag: "--boot-wait",
      endedBoots: new Map([[host, bootId]]),
    });
    if (lost.has(host)) {
      await this.#context.look(host, true);
      this.#fail(host, `it was rebooted and did not come back as it should: ${lost.get(host)!.message}`);
      return;
    }
    const wrong = await this.#settle(host);
    if (wrong !== undefined) {
      this.#fail(host, wrong);
      return;
    }
    ledger.end(host, true);
    emit({ event: "changed", host, step: BOOT, change, durationMs: performance.now() - startedAtMs });
  }

  /** Looks until the host and its peers show what they showed before; returns what came up wrong. */
  async #settle(host: HostName): Promise<string | undefined> {
    const { order, emit, observed } = this.#context;
    const mine = order.filter(({ hosts }) => hosts.includes(host)).map(({ step }) => step);
    const most = (of: (step: AnyStep) => number) => Math.max(0, ...mine.map(of));
    const ends = await untilSettled([host], {
      deadlineMs: Math.min(
        MOST_SETTLING_MS,
        most(({ settle }) => settle.deadlineMs),
      ),
      look: () => this.#lookAtAll(),
      stateOf: () => {
        const open = observed.flatMap((each) => this.#newlyOpen(each));
        const isWanted = open.length === 0;
        const isMoving = mine.some((step) => this.#context.fleet.health(step, host)?.is === "undecided");
        const lastsMs = isWanted
          ? most(({ settle }) => settle.stableMs)
          : isMoving
            ? Number.POSITIVE_INFINITY
            : UNCHANGED_MS;
        return { is: open.map(({ key }) => key).join("\n"), isWanted, lastsMs, open };
      },
      say: (_, { open }) => {
        const [first] = open;
        if (first !== undefined) emit({ event: "waiting", host, step: BOOT, because: first.words });
      },
    });
    const { open } = ends.get(host)!;
    if (open.length === 0) return undefined;
    const own = open.filter((row) => row.host === host);
    const shown = own.length > 0 ? own : open;
    const more = shown.length > MOST_NAMED ? `; ${shown.length - MOST_NAMED} more rows` : "";
    const words = shown.slice(0, MOST_NAMED).map((row) => row.words);
    const head = own.length > 0 ? "it came up wrong" : "it came up, and its peers are not as before";
    return `${head}: ${words.join("; ")}${more}`;
  }

  #newlyOpen(host: HostName) {
    const before = this.#before.get(host);
    return this.#open(host).filter(({ key }) => before?.has(key) !== true);
  }

  /** What is not proven on a host, what tells most first. */
  #open(host: HostName): readonly OpenRow[] {
    const { order, fleet, ledger } = this.#context;
    // What a host that failed before shows is told of it already.
    if (ledger.failureOf(host) !== undefined && this.#before !== undefined) return [];
    const observation = fleet.observation(host);
    if (observation?.is !== "seen") {
      const words = `${host} cannot be seen: ${observation?.error.message ?? "it was not looked at"}`;
      return [{ host, key: `${host} unseen`, words }];
    }
    return order
      .filter(({ hosts }) => hosts.includes(host))
      .flatMap(({ step }) => fleet.assess(step, host).evidence.map((row) => ({ step, row })))
      .filter(({ row }) => row.verdict !== "proven")
      .sort((a, b) => weightOf(a.row) - weightOf(b.row))
      .map(({ step, row }) => ({
        host,
        key: `${host} ${step.name} ${row.setting}`,
        words: `${step.name}: ${row.setting}: ${row.because ?? row.verdict}`,
      }));
  }

  /** Why nothing more is to be begun, when more have failed than may. */
  #holdBack(): string | undefined {
    const { order, ledger } = this.#context;
    const failed = [...this.#targets.keys()].filter(
      (host) => ledger.failureOf(host) !== undefined && !this.#left.includes(host),
    );
    const exceeded = order.map(({ limits }) => limits.exceededBy(failed)).find((most) => most !== undefined);
    if (exceeded === undefined) return undefined;
    return `${failed.join(", ")} failed, and ${exceeded === 0 ? "no host" : `no more than ${exceeded}`} may (max_fail)`;
  }

  async #lookAtAll(): Promise<LookTimes> {
    const beganAtMs = performance.now();
    await Promise.all(this.#context.observed.map((host) => this.#context.look(host)));
    return { beganAtMs, endedAtMs: performance.now() };
  }

  #fail(host: HostName, because: string, output?: string): void {
    if (this.#context.ledger.fail(host, `${BOOT}: ${because}`))
      this.#context.emit({ event: "failed", host, step: BOOT, because, output });
  }
}

interface OpenRow {
  readonly host: HostName;
  readonly key: string;
  readonly words: string;
}

/** What is urgent or stands in the way says more than what follows from it. */
function weightOf({ urgent, verdict }: Evidence): number {
  if (urgent === true) return 0;
  return ["blocked", "not-in-force", "missing"].includes(verdict) ? 1 : 2;
}

/** The connection mostly goes before the answer comes. Throws ChangeFailed where the host refuses, HostUnreachable. */
async function goDown(remote: Remote, bootId: string): Promise<void> {
  const block = {
    name: "reboot",
    text: scriptText(SCRIPT),
    args: [bootId],
    timeoutMs: 60_000,
  };
  try {
    await runChange(remote, "the reboot", [block]);
  } catch (error) {
    if (!(error instanceof HostLost)) throw error;
  }
}
