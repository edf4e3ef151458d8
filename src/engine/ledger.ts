import type { Change } from "../contract/change.ts";
import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { AnyStep } from "../contract/step.ts";
import type { HostOutcome, MadeChange } from "./events.ts";

interface Entry {
  readonly made: MadeChange;
  readonly writes: boolean;
  is: "under way" | "ended" | "proved" | "put back";
}

interface Reach {
  /** Whether looks at other hosts may tell of it as well. */
  readonly isOfMesh: boolean;
}

/** How far what a step does on a host is seen. */
export function reachOf({ alone }: Pick<AnyStep, "alone">): Reach {
  return { isOfMesh: alone !== true };
}

/** What a run did on each host, and how it ended there: begun, proved, put back, failed, interrupted. */
export class Ledger {
  readonly #entries = new Map<HostName, Entry[]>();
  readonly #failures = new Map<HostName, string>();
  readonly #interrupted = new Set<HostName>();
  readonly #touchedAtMs = new Map<HostName, number>();
  #meshTouchedAtMs = Number.NEGATIVE_INFINITY;

  /** Whether the run has changed nothing on any host. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** What may have changed a host has ended there: a change, a hook, the way out of the mesh or back. */
  touch(host: HostName, { isOfMesh }: Reach): void {
    const nowMs = performance.now();
    this.#touchedAtMs.set(host, nowMs);
    if (isOfMesh) this.#meshTouchedAtMs = nowMs;
  }

  /**
   * When what a look at a host tells may have been changed last, by performance.now(); -Infinity when it never was. What
   * the mesh is read of may be changed on any host.
   */
  touchedAtMs(host: HostName, { isOfMesh }: Reach): number {
    const ownMs = this.#touchedAtMs.get(host) ?? Number.NEGATIVE_INFINITY;
    return isOfMesh ? Math.max(ownMs, this.#meshTouchedAtMs) : ownMs;
  }

  begin(host: HostName, step: StepName, { id, why, commands }: Change): void {
    const writes = commands.some(({ kind }) => kind === "write" || kind === "remove");
    const entries = this.#entries.get(host) ?? [];
    this.#entries.set(host, entries);
    entries.push({ made: { step, change: id, why }, writes, is: "under way" });
  }

  /** The change that was begun last on a host has ended; `isProved` when all that it was for showed. */
  end(host: HostName, isProved: boolean): void {
    const last = this.#entries.get(host)?.at(-1);
    if (last !== undefined) last.is = isProved ? "proved" : "ended";
  }

  /** A step has nothing open on a host: what one change left open, a later one has closed. */
  proveAll(host: HostName, step: StepName): void {
    for (const entry of this.#of(host)) if (entry.made.step === step) entry.is = "proved";
  }

  /** What a step's changes wrote on a host was put back, and with it what the last of them did. */
  putBack(host: HostName, step: StepName): void {
    const last = this.#of(host).at(-1);
    for (const entry of this.#of(host))
      if (entry.made.step === step && (entry.writes || entry === last)) entry.is = "put back";
  }

  /** The first failure of a host stands. Returns whether this is it. */
  fail(host: HostName, because: string): boolean {
    if (this.#failures.has(host)) return false;
    this.#failures.set(host, because);
    const last = this.#of(host).at(-1);
    if (last?.is === "under way") last.is = "ended";
    return true;
  }

  failureOf(host: HostName): string | undefined {
    return this.#failures.get(host);
  }

  /** The run was told to stop while changes were still to be made on a host. */
  interrupt(host: HostName): void {
    this.#interrupted.add(host);
  }

  isInterrupted(host: HostName): boolean {
    return this.#interrupted.has(host);
  }

  /** The change that was begun on a host and has not ended. */
  underWay(host: HostName): MadeChange | undefined {
    return this.#of(host).find(({ is }) => is === "under way")?.made;
  }

  /**
   * How the run ended for a host: as it failed, or else as the caller says. A failure stands also where the host is gone
   * by now: "unreachable" would say that nothing happened there.
   */
  outcome(host: HostName, otherwise: Pick<HostOutcome, "is" | "because">, execs: number): HostOutcome {
    const because = this.#failures.get(host);
    const entries = this.#of(host);
    return {
      host,
      ...(because === undefined ? otherwise : { is: "failed", because }),
      changed: entries.filter(({ is }) => is === "proved").map(({ made }) => made),
      unproven: entries
        .filter(({ is }) => is !== "proved")
        .map(({ made, is }) => (is === "put back" ? { ...made, putBack: true } : made)),
      execs,
    };
  }

  #of(host: HostName): readonly Entry[] {
    return this.#entries.get(host) ?? [];
  }
}
