import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { AnyStep } from "../contract/step.ts";
import { deadline, turn } from "../own-time.ts";
import { LastingAnswers } from "../reader/lasting-answers.ts";
import { Limit } from "../remote/limit.ts";
import type { Remote } from "../remote/remote.ts";
import type { FleetView } from "./fleet.ts";
import { observe } from "./observe.ts";
import { readerOf } from "./readers.ts";

/** When a look at a host began and when it was over, by performance.now(). */
export interface LookTimes {
  readonly beganAtMs: number;
  readonly endedAtMs: number;
}

/** A host that takes longer is waited for, which costs nothing: its place is for the others. */
const MOST_PLACE_MS = 2_000;

interface HowToLook {
  /** Steps to look at. */
  readonly steps: (step: StepName) => boolean;
  /** Takes no place among the looks at other hosts, so that none of them holds it up. */
  readonly isAlone?: boolean;
  /** Only waits for what an earlier look has shown in part: what lasts is not asked again for a while. */
  readonly isFurther?: boolean;
}

interface LooksOptions {
  /** How many are under way at once. */
  readonly parallel: number;
  /** When this run may have changed a host last, by performance.now(); -Infinity when it never has. */
  readonly touchedAtMs: (host: HostName) => number;
}

/**
 * The looks of a run: at most `parallel` are begun at once, and one after the other at each host. The fleet takes in each as it
 * arrives, with its own time.
 */
export class Looks {
  readonly #fleet: FleetView;
  readonly #remoteOf: (host: HostName) => Remote;
  readonly #touchedAtMs: LooksOptions["touchedAtMs"];
  readonly #places: Limit;
  readonly #underWay = new Map<HostName, Promise<LookTimes>>();
  readonly #lasting = new Map<HostName, LastingAnswers>();

  constructor(
    fleet: FleetView,
    remoteOf: (host: HostName) => Remote,
    { parallel, touchedAtMs }: LooksOptions,
  ) {
    this.#fleet = fleet;
    this.#remoteOf = remoteOf;
    this.#touchedAtMs = touchedAtMs;
    this.#places = new Limit(parallel);
  }

  /** A look that begins after this call. Never rejects. */
  at(host: HostName, how: HowToLook): Promise<LookTimes> {
    const look = (this.#underWay.get(host) ?? Promise.resolve()).then(() => this.#look(host, how));
    this.#underWay.set(host, look);
    return look.finally(() => {
      if (this.#underWay.get(host) === look) this.#underWay.delete(host);
    });
  }

  /** Begins a further look that is not waited for, unless one is under way. */
  beside(host: HostName, steps: HowToLook["steps"]): void {
    if (!this.#underWay.has(host)) void this.at(host, { steps, isFurther: true });
  }

  async #look(host: HostName, { steps, isAlone = false, isFurther = false }: HowToLook): Promise<LookTimes> {
    const leave = isAlone ? () => {} : await this.#places.take();
    await turn();
    const beganAtMs = performance.now();
    // Where this machine is the one that takes longer, more at once would take longer still, and more memory.
    const waits = deadline(MOST_PLACE_MS, leave);
    const lasting = this.#lasting.get(host) ?? new LastingAnswers();
    this.#lasting.set(host, lasting);
    const observation = await observe(
      lasting.through(readerOf(this.#remoteOf(host)), isFurther ? this.#touchedAtMs(host) : beganAtMs),
      this.#fleet.requests(host, steps),
      this.#fleet.rewritten(host),
    );
    const endedAtMs = performance.now();
    waits.clear();
    leave();
    this.#fleet.see(host, observation, beganAtMs);
    return { beganAtMs, endedAtMs };
  }
}

/** Looks at one step, by what it needs to be seen. */
export class StepLooks {
  readonly #looks: Looks;
  readonly #fleet: FleetView;
  readonly #step: AnyStep;
  /** Hosts that are looked at also when they could not be seen last time. */
  readonly #isSought: (host: HostName) => boolean;

  constructor(looks: Looks, fleet: FleetView, step: AnyStep, isSought: (host: HostName) => boolean) {
    this.#looks = looks;
    this.#fleet = fleet;
    this.#step = step;
    this.#isSought = isSought;
  }

  /** A further look at a host. Peers whose facts the step goes by are looked at meanwhile, and never waited for. */
  at(host: HostName, isAlone = false): Promise<LookTimes> {
    const look = this.#looks.at(host, { ...this.#how, isAlone, isFurther: !isAlone });
    if (this.#step.needs === "all" && !isAlone)
      for (const peer of this.#members()) this.#looks.beside(peer, this.#how.steps);
    return look;
  }

  /**
   * Looks at what a wave is decided by, its own hosts or every member, where that was not seen since `sinceMs`. Returns
   * whether there was any.
   */
  async refresh(wave: Iterable<HostName>, sinceMs: number): Promise<boolean> {
    const needed = this.#step.needs === "all" ? this.#members() : [...wave];
    const stale = needed.filter((host) => this.#isOlder(host, sinceMs));
    await Promise.all(stale.map((host) => this.#at(host)));
    return stale.length > 0;
  }

  /** Looks at every host that has the step and could be seen, but for those seen since a moment of their own. */
  async everyoneSince(sinceMsOf: (host: HostName) => number): Promise<void> {
    const stale = this.#members().filter((host) => this.#isOlder(host, sinceMsOf(host)));
    await Promise.all(stale.map((host) => this.#at(host)));
  }

  /** Looks at every host that has the step and could be seen; `unseenToo`: at the others, too. */
  async everyone({ unseenToo = false, isFurther = false } = {}): Promise<LookTimes> {
    const beganAtMs = performance.now();
    const hosts = unseenToo ? [...this.#fleet.fleetOf(this.#step).keys()] : this.#members();
    await Promise.all(hosts.map((host) => this.#looks.at(host, { ...this.#how, isFurther })));
    return { beganAtMs, endedAtMs: performance.now() };
  }

  #at(host: HostName): Promise<LookTimes> {
    return this.#looks.at(host, this.#how);
  }

  #isOlder(host: HostName, sinceMs: number): boolean {
    return (this.#fleet.lookedAtMs(host, this.#step.name) ?? sinceMs) < sinceMs;
  }

  #members(): readonly HostName[] {
    return [...this.#fleet.fleetOf(this.#step).keys()].filter(
      (host) => this.#isSought(host) || this.#fleet.observation(host)?.is === "seen",
    );
  }

  get #how(): HowToLook {
    return { steps: (name) => name === this.#step.name };
  }
}
