import { setTimeout as sleep } from "node:timers/promises";
import type { HostName } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import { isSameIp } from "../ip.ts";
import {
  best,
  type Comparison,
  gate,
  type Marks,
  type MeshHealth,
  shownAfterMs,
  tellsOfServers,
  type Worse,
  worseWords,
} from "./gate.ts";
import type { HostWork } from "./host-work.ts";
import { LONGEST_PAUSE_MS, restMs, SHORTEST_PAUSE_MS } from "./settle.ts";

/** Of hosts beside a wave's own and an ensemble's members, so many tell of the mesh: a fleet is not read for each wave. */
const MOST_WITNESSES = 20;

interface Watch {
  readonly hosts: readonly HostName[];
  /** What the mesh should be as, at these hosts. */
  readonly before: MeshHealth;
  /** At least so long. */
  readonly forMs: number;
  readonly say: (because: string) => void;
  /** Follows "the mesh is worse than". */
  readonly than: string;
  /** Hosts that have failed are told of already. */
  readonly isCounted: (host: HostName) => boolean;
}

interface Watched extends Comparison {
  /** "stopped": the run was told to stop while the mesh was worse. */
  readonly is: "passed" | "failed" | "stopped";
  readonly looks: number;
}

/** Compares the mesh's health with the best that was read of it in a step: what has come right stays wanted. */
export class MeshGate {
  readonly #work: HostWork;
  readonly #step: AnyStep;
  readonly #marks: Marks;
  #known: MeshHealth = new Map();
  #waves = 0;

  constructor(work: HostWork, step: AnyStep) {
    this.#work = work;
    this.#step = step;
    this.#marks = work.fleet.marks;
  }

  /** Hosts that tell of the mesh for the next wave; those that could not be seen in this run are none of them. */
  witnesses(wave: readonly HostName[]): readonly HostName[] {
    const { fleet } = this.#work;
    const telling = fleet.order.filter(({ step }) => step.vitals !== undefined);
    const seen = fleet.hosts.filter(
      (host) => fleet.observation(host)?.is === "seen" && telling.some(({ hosts }) => hosts.includes(host)),
    );
    const isAsked = (host: HostName) =>
      wave.includes(host) || telling.some(({ step, hosts }) => step.needs === "all" && hosts.includes(host));
    const others = seen.filter((host) => !isAsked(host));
    const proxies = others.filter((host) => tellsOfServers(new Map([[host, fleet.vitals(host)]])));
    const rest = others.filter((host) => !proxies.includes(host));
    const asked = new Set([...seen.filter(isAsked), ...witnessesAmong(proxies, rest, this.#waves++)]);
    return seen.filter((host) => asked.has(host));
  }

  /** The best that was read in this step of these hosts. */
  known(hosts: readonly HostName[]): MeshHealth {
    return new Map(hosts.flatMap((host) => (this.#known.has(host) ? [[host, this.#known.get(host)!]] : [])));
  }

  /**
   * Looks until the mesh is as it was and has been watched for `forMs`, or until one thing has been worse without a break for
   * as long as the step may take to settle, and a health check to pass. What is worse at the end of the watch is waited for; what comes after it is
   * the next watch's.
   */
  async watch({ hosts, before, forMs, say, than, isCounted }: Watch): Promise<Watched> {
    const { stop } = this.#work.context;
    // A server that was loaded anew waits for its first check.
    const deadlineMs = Math.max(this.#step.settle.deadlineMs, shownAfterMs(before));
    const untilMs = performance.now() + forMs;
    const sinceMs = new Map<string, number>();
    const said = new Set<string>();
    let lastSaid = "";
    let awaited: readonly string[] | undefined;
    let isDoubted = false;
    let pauseMs = SHORTEST_PAUSE_MS;
    for (let looks = 1; ; looks += 1) {
      const beganAtMs = performance.now();
      const after = await this.#lookAt(hosts);
      const { worse: all, notCompared } = gate(before, after, this.#marks);
      const worse = all.filter(({ host }) => isCounted(host));
      const keys = new Set(worse.map(keyOf));
      for (const key of sinceMs.keys()) if (!keys.has(key)) sinceMs.delete(key);
      for (const key of keys) sinceMs.set(key, sinceMs.get(key) ?? performance.now());
      if (beganAtMs >= untilMs) awaited = (awaited ?? [...keys]).filter((key) => keys.has(key));

      if (awaited?.length === 0) return { is: "passed", looks, worse: [], notCompared };
      const hasLasted = [...sinceMs.values()].some((each) => beganAtMs - each >= deadlineMs);
      if (hasLasted && isDoubted) {
        // What this look alone shows may be over at the next.
        const lasting = worse.filter((each) => sinceMs.get(keyOf(each))! <= beganAtMs);
        return { is: "failed", looks, worse: lasting, notCompared };
      }
      const stopped = () =>
        ({ is: worse.length === 0 ? "passed" : "stopped", looks, worse, notCompared }) as const;
      if (stop.aborted) return stopped();
      isDoubted = hasLasted;
      if (hasLasted) continue;
      const words =
        worse.length > 0
          ? `the mesh is worse than ${than}: ${worseWords(worse)}`
          : `the mesh is watched for ${Math.ceil(forMs / 1000)} s`;
      if (worse.length > 0 ? words !== lastSaid : !said.has(words)) say(words);
      said.add(words);
      if (worse.length > 0) lastSaid = words;
      const nowMs = performance.now();
      const staysMs = worse.length === 0 ? untilMs - nowMs : 0;
      const nextMs = Math.max(pauseMs, restMs(nowMs - beganAtMs, staysMs));
      await sleep(nextMs, undefined, { signal: stop }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      if (stop.aborted) return stopped();
    }
  }

  /** How long a wave is watched at least: until what it has done wrong has had the time to show. */
  noticedAfterMs(hosts: readonly HostName[]): number {
    return shownAfterMs(this.known(hosts));
  }

  /** Those of the things that are about these hosts: about their addresses, or told to be theirs by their steps. */
  about(hosts: readonly HostName[], worse: readonly Worse[]): readonly Worse[] {
    const { fleet } = this.#work;
    const addresses = hosts.flatMap((host) => fleet.address(host) ?? []);
    const theirs = new Set(hosts.flatMap((host) => [...(this.#marks.get(host)?.keys() ?? [])]));
    return worse.filter(({ host, step, what }) => {
      const vitals = this.#known.get(host)?.get(step);
      const vital = vitals?.is === "read" ? vitals.of.get(what) : undefined;
      const server = vital === undefined || vital.is === "unread" ? undefined : vital.server;
      if (hosts.includes(host) || theirs.has(server?.further?.of ?? what)) return true;
      const at = server?.address;
      return at !== undefined && addresses.some((address) => isSameIp(at, address));
    });
  }

  async #lookAt(hosts: readonly HostName[]): Promise<MeshHealth> {
    const { fleet, context } = this.#work;
    // The step that is being changed as well: a look counts as one at all that is decided by it.
    const steps = (name: string) => name === this.#step.name || fleet.hasVitals(name);
    await Promise.all(hosts.map((host) => context.looks.at(host, { steps, isFurther: true })));
    const seen = new Map(hosts.map((host) => [host, fleet.vitals(host)]));
    this.#known = best(this.#known, seen);
    return seen;
  }
}

function keyOf({ host, step, what }: Worse): string {
  return JSON.stringify([host, step, what]);
}

/** Who tells of the mesh for the wave of this number: proxies before others, and others of them each time. Pure. */
export function witnessesAmong(
  proxies: readonly HostName[],
  rest: readonly HostName[],
  wave: number,
): readonly HostName[] {
  const first = sample(proxies, MOST_WITNESSES, wave);
  return [...first, ...sample(rest, MOST_WITNESSES - first.length, wave)];
}

/** So many of a list, spread over it; others at the next turn. */
function sample<T>(list: readonly T[], count: number, turn: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from(
    { length: Math.max(0, count) },
    (_, index) => list[(Math.floor((index * list.length) / count) + turn) % list.length]!,
  );
}
