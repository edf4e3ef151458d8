import type { HostName } from "../contract/inventory-view.ts";
import type { StepName } from "../contract/names.ts";
import type { Mark, Vital, Vitals } from "../contract/step.ts";

/** What looks told of the mesh's health, by host and step. */
export type MeshHealth = ReadonlyMap<HostName, ReadonlyMap<StepName, Vitals>>;

/** What the vitals of others are to each host. */
export type Marks = ReadonlyMap<HostName, ReadonlyMap<string, Mark>>;

/** One thing that is worse than it was. */
export interface Worse {
  readonly host: HostName;
  readonly step: StepName;
  /** Its name, "server api_10.0.0.2 of user-api", or the step's where nothing of it was read. */
  readonly what: string;
  /** "unread": it was read before, and is not now. */
  readonly is: "bad" | "gone" | "unread";
  /** Follows the name: "is DOWN (L4CON)". */
  readonly because: string;
}

/** Something that could not be compared, because it was not read before. It fails no gate. */
interface NotCompared {
  readonly host: HostName;
  readonly step: StepName;
  readonly what: string;
  readonly because: string;
}

export interface Comparison {
  readonly worse: readonly Worse[];
  readonly notCompared: readonly NotCompared[];
}

/** In what the mesh is worse than it was. What was bad before, or is new, is nobody's fault. Pure. */
export function gate(before: MeshHealth, after: MeshHealth, marks: Marks = new Map()): Comparison {
  const worse: Worse[] = [];
  const notCompared: NotCompared[] = [];
  const all = [...marks.values()].flatMap((ofHost) => [...ofHost]);
  const wanted = new Map(
    all.map(([what, mark]) => [what, mark.is === "left" ? 0 : (mark.count ?? 1)] as const),
  );
  const hasLeft = (what: string, vital: Vital) => {
    const further = vital.is === "unread" ? undefined : vital.server?.further;
    return (further?.number ?? 1) > (wanted.get(further?.of ?? what) ?? Number.POSITIVE_INFINITY);
  };
  const homes = new Map(
    all.flatMap(([what, mark]) =>
      mark.is === "own"
        ? [mark.instance, mark.formerly].flatMap((name) =>
            name === undefined ? [] : [[name, what] as const],
          )
        : [],
    ),
  );
  /** An instance whose host has another address or name now is no loss once it is proven there. */
  const hasMoved = (vital: Vital, now: ReadonlyMap<string, Vital>) => {
    const instance = vital.is === "well" ? vital.server?.instance : undefined;
    const home = now.get(homes.get(instance ?? "") ?? "");
    return home?.is === "well" && home.unproven === undefined;
  };
  for (const [host, steps] of before) {
    for (const [step, was] of steps) {
      const is = after.get(host)?.get(step) ?? { is: "unread", because: "it was not looked at" };
      if (was.is === "unread") {
        notCompared.push({ host, step, what: step, because: was.because });
      } else if (is.is === "unread") {
        worse.push({ host, step, what: step, is: "unread", because: unreadNow(is.because) });
      } else {
        for (const [what, vital] of was.of) {
          const now = is.of.get(what);
          if (now === undefined && (hasLeft(what, vital) || hasMoved(vital, is.of))) continue;
          const found = { host, step, what };
          if (vital.is === "unread") notCompared.push({ ...found, because: vital.because });
          else if (now?.is === "unread")
            worse.push({ ...found, is: "unread", because: unreadNow(now.because) });
          else if (vital.is === "well" && now === undefined)
            worse.push({ ...found, is: "gone", because: "is gone" });
          else if (vital.is === "well" && now?.is === "bad")
            worse.push({ ...found, is: "bad", because: now.because });
          else if (vital.is === "well" && vital.unproven === undefined && now?.is === "well" && now.unproven)
            worse.push({ ...found, is: "bad", because: now.unproven });
        }
      }
    }
  }
  return { worse, notCompared };
}

/** The best that two looks told of each thing; what only one of them told, as it told it. Pure. */
export function best(known: MeshHealth, seen: MeshHealth): MeshHealth {
  const all = new Map(known);
  for (const [host, steps] of seen) {
    const merged = new Map(all.get(host));
    for (const [step, vitals] of steps) merged.set(step, bestOf(merged.get(step), vitals));
    all.set(host, merged);
  }
  return all;
}

function bestOf(known: Vitals | undefined, seen: Vitals): Vitals {
  if (known?.is !== "read") return seen;
  if (seen.is !== "read") return known;
  const of = new Map(known.of);
  for (const [what, vital] of seen.of) {
    const was = of.get(what);
    if (was === undefined || rank(vital) >= rank(was)) of.set(what, vital);
  }
  return { ...seen, of };
}

function rank(vital: Vital): number {
  if (vital.is === "well") return vital.unproven === undefined ? 3 : 2;
  return vital.is === "bad" ? 1 : 0;
}

/** Whether any of the hosts told of a proxy's server. */
export function tellsOfServers(health: MeshHealth): boolean {
  return [...health.values()].some((steps) =>
    [...steps.values()].some(
      (vitals) =>
        vitals.is === "read" &&
        [...vitals.of.values()].some((vital) => vital.is !== "unread" && vital.server !== undefined),
    ),
  );
}

function unreadNow(because: string): string {
  return `was read before the wave and is not now: ${because}`;
}

/** ", not compared, for it was not read before: watcher on kvm-01"; "" where all was. */
export function notComparedWords(parts: readonly NotCompared[]): string {
  if (parts.length === 0) return "";
  const told = [...new Set(parts.map(({ host, what }) => `${what} on ${host}`))];
  return `, not compared, for it was not read before: ${firstOf(told)}`;
}

const MOST_TOLD = 3;

function firstOf(told: readonly string[]): string {
  const more = told.length > MOST_TOLD ? [`${told.length - MOST_TOLD} more`] : [];
  return [...told.slice(0, MOST_TOLD), ...more].join("; ");
}

/** "server a of user-api is DOWN (L4CON) on kvm-01, kvm-02; 2 more". Hosts on which the same is worse are told together. */
export function worseWords(worse: readonly Worse[]): string {
  const alike = new Map<string, { words: string; hosts: HostName[] }>();
  for (const { host, what, is, because } of worse) {
    const key = `${is} ${what}`;
    const hosts = alike.get(key)?.hosts ?? [];
    alike.set(key, { words: alike.get(key)?.words ?? `${what} ${because}`, hosts: [...hosts, host] });
  }
  const told = [...alike.values()].map(({ words, hosts }) => `${words} on ${hosts.join(", ")}`);
  return firstOf(told);
}

/** How long what has gone wrong may take to show: as long as the slowest that was read. */
export function shownAfterMs(health: MeshHealth): number {
  const delays = [...health.values()].flatMap((steps) =>
    [...steps.values()].map((vitals) => (vitals.is === "read" ? vitals.shownAfterMs : 0)),
  );
  return Math.max(0, ...delays);
}
