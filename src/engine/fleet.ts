import type { Change } from "../contract/change.ts";
import type { Claims } from "../contract/claims.ts";
import { type Hooks, NO_HOOKS } from "../contract/hook.ts";
import type { HostName, InventoryView } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { Evidence } from "../contract/reading.ts";
import type { AnyStep, Assessed, Drain, Fleet, Health, Mark, Step, Vitals } from "../contract/step.ts";
import { judge } from "../evidence/verdict.ts";
import type { Job } from "../playbook/job.ts";
import type { WaveRules } from "../waves.ts";
import type { Observation } from "./observe.ts";
import type { LookRequest } from "./step-facts.ts";
import { type WaveLimits, waveLimits } from "./wave-limits.ts";

/** A step on a host, with what is wanted there. */
interface Placement {
  readonly step: AnyStep;
  readonly desired: unknown;
}

type FleetMember = Fleet<unknown, unknown> extends ReadonlyMap<HostName, infer M> ? M : never;

export interface HostAssessment {
  readonly evidence: readonly Evidence[];
  readonly changes: readonly Change[];
}

/**
 * What is wanted everywhere and what was seen last. Everything but `see` is pure: the same observations give the
 * same evidence and changes.
 */
export class FleetView {
  readonly order: readonly {
    readonly step: AnyStep;
    readonly hosts: readonly HostName[];
    readonly limits: WaveLimits;
    readonly hooks: Hooks;
  }[];
  readonly #inventory: InventoryView;
  readonly #placements = new Map<HostName, Map<StepName, Placement>>();
  readonly #observations = new Map<HostName, Observation>();
  /** When the last look at each step of a host began. */
  readonly #lookedAtMs = new Map<HostName, Map<StepName, number>>();
  /** What was made of the observations since the last of them; one host's may change what another's mean. */
  readonly #assessed = new Map<AnyStep, Map<HostName, HostAssessment>>();
  /** As for `#assessed`: every assessment of a step goes by the whole fleet, every one of a host by all its claims. */
  readonly #fleets = new Map<StepName, Fleet<unknown, unknown>>();
  readonly #claims = new Map<HostName, ReadonlyMap<StepName, Claims>>();

  /** `rules` are those of the whole run: they count before what the files say. */
  constructor(inventory: InventoryView, job: Job, rules: WaveRules = {}) {
    this.#inventory = inventory;
    const order: { step: AnyStep; hosts: HostName[]; limits: WaveLimits; hooks: Hooks }[] = [];
    for (const play of job.plays) {
      for (const { step, parameters, hooks = NO_HOOKS } of play.steps) {
        const hosts = play.hosts.filter((name) => parameters.has(name));
        for (const name of hosts) {
          const placements = this.#placements.get(name) ?? new Map<StepName, Placement>();
          this.#placements.set(name, placements);
          const desired = step.desired(parameters.get(name), inventory.hosts.get(name)!, inventory);
          placements.set(step.name, { step, desired });
        }
        const placed = { step, hosts, rules: play.rules ?? {} };
        const limits = waveLimits(placed, inventory.rules ?? new Map(), rules);
        order.push({ step, hosts, limits, hooks });
      }
    }
    this.order = order;
  }

  /** Hosts that any step is for, in playbook order. */
  get hosts(): readonly HostName[] {
    return [...this.#placements.keys()];
  }

  /** What to ask of a host; `only` narrows it to some steps. */
  requests(host: HostName, only: (step: StepName) => boolean): readonly LookRequest[] {
    return [...(this.#placements.get(host)?.values() ?? [])].filter(({ step }) => only(step.name));
  }

  /** Files of a host that services of its steps write anew as they run. */
  rewritten(host: HostName): readonly string[] {
    const placements = [...(this.#placements.get(host)?.values() ?? [])];
    return placements.flatMap(({ step, desired }) => step.rewritten?.(desired) ?? []);
  }

  /**
   * Takes in a new look at a host, which began at `atMs` by performance.now(). A look at some steps leaves what is known
   * of the others as it was.
   */
  see(host: HostName, observation: Observation, atMs: number): void {
    const lookedAtMs = this.#lookedAtMs.get(host) ?? new Map<StepName, number>();
    this.#lookedAtMs.set(host, lookedAtMs);
    const steps = observation.is === "seen" ? observation.facts : this.#placements.get(host);
    for (const step of steps?.keys() ?? []) lookedAtMs.set(step, atMs);
    this.#assessed.clear();
    this.#fleets.clear();
    this.#claims.delete(host);
    const before = this.#observations.get(host);
    if (observation.is === "seen" && before?.is === "seen") {
      const facts = new Map([...before.facts, ...observation.facts]);
      this.#observations.set(host, { ...observation, facts });
    } else {
      this.#observations.set(host, observation);
    }
  }

  observation(host: HostName): Observation | undefined {
    return this.#observations.get(host);
  }

  /** When the last look at a step of a host began, by performance.now(). */
  lookedAtMs(host: HostName, step: StepName): number | undefined {
    return this.#lookedAtMs.get(host)?.get(step);
  }

  /** Every host that has the step, in playbook order. One whose last look began before `sinceMs` is unseen. */
  fleetOf<D, F>(step: Pick<Step<never, D, F>, "name">, sinceMs?: number): Fleet<D, F> {
    if (sinceMs !== undefined) return this.#fleetOf(step, sinceMs);
    const fleet = this.#fleets.get(step.name) ?? this.#fleetOf(step, Number.NEGATIVE_INFINITY);
    this.#fleets.set(step.name, fleet);
    // A step's desired state and facts are what the step itself made.
    return fleet as Fleet<D, F>;
  }

  #fleetOf<D, F>(step: Pick<Step<never, D, F>, "name">, sinceMs: number): Fleet<D, F> {
    const fleet = new Map<HostName, FleetMember>();
    for (const [name, placements] of this.#placements) {
      const placement = placements.get(step.name);
      if (placement === undefined) continue;
      const { desired } = placement;
      const observation = this.#observations.get(name);
      if (observation === undefined) {
        fleet.set(name, { is: "unseen", desired, because: "it was not looked at" });
      } else if (observation.is === "unseen") {
        fleet.set(name, { is: "unseen", desired, because: observation.error.message });
      } else if (this.lookedAtMs(name, step.name)! < sinceMs) {
        fleet.set(name, { is: "unseen", desired, because: "it has not answered since" });
      } else {
        const read = observation.facts.get(step.name);
        fleet.set(
          name,
          read?.is === "read"
            ? { is: "seen", desired, facts: read.facts, host: observation.host }
            : { is: "unseen", desired, because: read?.because ?? "it was not looked at" },
        );
      }
    }
    // A step's desired state and facts are what the step itself made.
    return fleet as Fleet<D, F>;
  }

  /** What every step of the playbook claims on a host that was seen. */
  claims(host: HostName): ReadonlyMap<StepName, Claims> {
    const claims = this.#claims.get(host) ?? this.#claimsOf(host);
    this.#claims.set(host, claims);
    return claims;
  }

  #claimsOf(host: HostName): ReadonlyMap<StepName, Claims> {
    const observation = this.#observations.get(host);
    if (observation?.is !== "seen") return new Map();
    const placements = this.#placements.get(host) ?? new Map<StepName, Placement>();
    return new Map(
      [...placements].map(([name, { step, desired }]) => {
        const read = observation.facts.get(name);
        return [name, step.claims(desired, observation.host, read?.is === "read" ? read.facts : undefined)];
      }),
    );
  }

  /** Evidence and changes of a step on a host. A step that could not be read is "unknown", never a pass. */
  assess(step: AnyStep, name: HostName): HostAssessment {
    const known = this.#assessed.get(step) ?? new Map<HostName, HostAssessment>();
    this.#assessed.set(step, known);
    const assessed = known.get(name) ?? this.#assess(step, name);
    known.set(name, assessed);
    return assessed;
  }

  #assess(step: AnyStep, name: HostName): HostAssessment {
    const fleet = this.fleetOf(step);
    const member = fleet.get(name);
    if (member === undefined) return { evidence: [], changes: [] };
    if (member.is === "unseen") return unknown(step, `the ${step.name} probe`, member.because);
    const { desired, facts, host } = member;
    let assessed: Assessed;
    try {
      assessed = step.assess({ name, desired, facts, host, claims: this.claims(name) }, fleet);
    } catch (error) {
      // A step that stumbles over one host's facts must not end the run in the middle of the others' changes.
      const { message } = error as Error;
      return unknown(step, `the ${step.name} step`, `it broke, which is a fault of meshctl: ${message}`);
    }
    const evidence = assessed.readings.map(judge);
    return {
      evidence: [...evidence, ...changesAlone(evidence, assessed.changes)],
      changes: assessed.changes,
    };
  }

  /**
   * How a step's service was when the host was seen last; undefined when there is no service. What peers said before
   * `sinceMs` counts for nothing.
   */
  health(step: AnyStep, name: HostName, sinceMs?: number): Health | undefined {
    const member = this.fleetOf(step).get(name);
    if (step.service === undefined || member === undefined) return undefined;
    if (member.is === "unseen") return { is: "undecided", because: member.because };
    try {
      const { facts, desired } = member;
      return step.service.health(facts, { name, desired, fleet: this.fleetOf(step, sinceMs) });
    } catch (error) {
      return { is: "undecided", because: `a fault of meshctl: ${(error as Error).message}` };
    }
  }

  /** Whether the mesh has services that clients reach by proxies. */
  get hasServices(): boolean {
    return this.#inventory.mesh.services.length > 0;
  }

  /** A host's address in the mesh. */
  address(host: HostName): string | undefined {
    return this.#inventory.hosts.get(host)?.address;
  }

  /** What the vitals of others are to each host, whether it was seen or not. */
  get marks(): ReadonlyMap<HostName, ReadonlyMap<string, Mark>> {
    return new Map(
      [...this.#placements].map(([host, placements]) => [
        host,
        new Map([...placements.values()].flatMap(({ step, desired }) => [...(step.marks?.(desired) ?? [])])),
      ]),
    );
  }

  /** How a host's backends leave the mesh; why that is not known, where it was not read; undefined where there are none. */
  drain(host: HostName): Drain | { readonly unread: string } | undefined {
    for (const { step, desired } of this.#placements.get(host)?.values() ?? []) {
      if (step.drain === undefined) continue;
      const member = this.fleetOf(step).get(host)!;
      if (member.is === "unseen") return { unread: `${step.name}: ${member.because}` };
      return step.drain(desired, member.facts);
    }
    return undefined;
  }

  /** Whether a step of the playbook by this name tells how backends leave the mesh. */
  hasDrain(name: StepName): boolean {
    return this.order.some(({ step }) => step.name === name && step.drain !== undefined);
  }

  /** Whether a step of the playbook by this name tells of the mesh's health. */
  hasVitals(name: StepName): boolean {
    return this.order.some(({ step }) => step.name === name && step.vitals !== undefined);
  }

  /** What the last look at a host told of the mesh's health, by step. */
  vitals(host: HostName): ReadonlyMap<StepName, Vitals> {
    const told = [...(this.#placements.get(host)?.values() ?? [])].flatMap(
      ({ step }): [StepName, Vitals][] => {
        const member = this.fleetOf(step).get(host);
        if (step.vitals === undefined || member === undefined) return [];
        if (member.is === "unseen") return [[step.name, { is: "unread", because: member.because }]];
        try {
          return [[step.name, step.vitals(member.desired, member.facts)]];
        } catch (error) {
          const because = `a fault of meshctl: ${(error as Error).message}`;
          return [[step.name, { is: "unread", because }]];
        }
      },
    );
    return new Map(told);
  }
}

/** Where a step plans a change and all its rows are proven: a row of its own, for such a host is not as wanted. */
function changesAlone(evidence: readonly Evidence[], changes: readonly Change[]): readonly Evidence[] {
  if (evidence.some(({ verdict }) => verdict !== "proven")) return [];
  return changes.slice(0, 1).map(({ id, why }) =>
    judge({
      setting: `change ${id}`,
      want: "made",
      onDisk: { is: "inapplicable" },
      inForce: { is: "read", value: "not made", source: "what the step found" },
      because: why,
      closedBy: { change: id },
    }),
  );
}

function unknown(step: AnyStep, source: string, because: string): HostAssessment {
  const unread = { is: "unreadable", source, because } as const;
  return {
    evidence: [judge({ setting: step.name, want: "readable", onDisk: unread, inForce: unread })],
    changes: [],
  };
}
