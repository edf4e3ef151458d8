import type { HostName } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import type { FleetView } from "./fleet.ts";
import type { StepLooks } from "./looks.ts";
import { untilSettled } from "./settle.ts";

interface Waves<T> {
  readonly fleet: FleetView;
  readonly looks: StepLooks;
  /** Who still waits for a turn, by what was seen last. */
  readonly waiting: () => ReadonlyMap<HostName, T>;
  readonly next: AnyStep["next"];
  /** Said when `next` lets no host go and does not say why. */
  readonly nobody: string;
  readonly say: (host: HostName, because: string) => void;
  /** Called for each host that waits when all were held up until the step's deadline. */
  readonly giveUp: (host: HostName, because: string) => void;
  readonly isStopped?: () => boolean;
  /** What was seen before this, by performance.now(), is too old for the first wave. */
  readonly sinceMs?: number;
}

type Turn<T> =
  | { readonly is: "wave"; readonly wave: ReadonlyMap<HostName, T> }
  | { readonly is: "held"; readonly because: string };

/**
 * Lets as many hosts go at a time as `next` allows, until none waits, and waits where it allows none. A wave begins when
 * what `next` goes by was seen since the wave before: every member's state, or that of the wave's own hosts.
 */
export async function* waves<T>(step: AnyStep, options: Waves<T>): AsyncGenerator<ReadonlyMap<HostName, T>> {
  const { fleet, looks } = options;
  const isStopped = () => options.isStopped?.() ?? false;
  let wavedAtMs = options.sinceMs ?? Number.NEGATIVE_INFINITY;
  while (!isStopped() && options.waiting().size > 0) {
    const turn = turnOf(options, fleet.fleetOf(step));
    if (turn.is === "held") {
      if (!(await mayGoOn(step, options, isStopped))) return;
      continue;
    }
    if (await looks.refresh(turn.wave.keys(), wavedAtMs)) continue;
    wavedAtMs = performance.now();
    yield turn.wave;
    // Also after the last wave: what a member's evidence says of the others has moved.
    if (step.needs === "all") await looks.everyone({ isFurther: true });
  }
}

function turnOf<T>({ waiting, next, nobody }: Waves<T>, fleet: Parameters<AnyStep["next"]>[1]): Turn<T> {
  const all = waiting();
  const turn = next([...all.keys()], fleet);
  if ("hold" in turn) return { is: "held", because: turn.hold };
  const wave = new Map([...all].filter(([host]) => turn.includes(host)));
  return wave.size > 0 || all.size === 0 ? { is: "wave", wave } : { is: "held", because: nobody };
}

/** Waits while no host may go. Who holds the others up may be a peer that could not be seen for a while. */
async function mayGoOn<T>(step: AnyStep, options: Waves<T>, isStopped: () => boolean): Promise<boolean> {
  const { fleet, looks, waiting, say, giveUp } = options;
  const held = await untilSettled([step.name], {
    deadlineMs: step.settle.deadlineMs,
    isJustSeen: true,
    isEnough: isStopped,
    look: () => looks.everyone({ unseenToo: true, isFurther: true }),
    stateOf: () => {
      const turn = turnOf(options, fleet.fleetOf(step));
      const isHeld = turn.is === "held";
      return { is: turn.is, isWanted: !isHeld, lastsMs: isHeld ? Number.POSITIVE_INFINITY : 0, turn };
    },
    say: (_, { turn }) => {
      if (turn.is === "held") for (const host of waiting().keys()) say(host, turn.because);
    },
  });
  const { turn } = held.get(step.name)!;
  if (turn.is === "wave" || isStopped()) return true;
  for (const host of waiting().keys()) giveUp(host, turn.because);
  return false;
}
