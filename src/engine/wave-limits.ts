import type { HostName, InventoryView } from "../contract/inventory-view.ts";
import type { AnyStep } from "../contract/step.ts";
import { CAREFUL, hostsIn, type WaveRules, type WaveSize } from "../waves.ts";

interface Limit {
  readonly hosts: readonly HostName[];
  readonly serial: readonly WaveSize[];
  readonly maxFail: number;
  readonly holdMs: number;
}

/** Whether no other host may be disrupted in a host's wave. */
type IsAlone = (host: HostName) => boolean;
const nobody: IsAlone = () => false;

/** How many hosts may be disrupted at a time, and how many may fail. */
export class WaveLimits {
  readonly #limits: readonly Limit[];

  constructor(limits: readonly Limit[]) {
    this.#limits = limits;
  }

  /** Those of the hosts, in their order, that the wave may take; the first wave is 0. One at least. `alone`: by itself. */
  wave(hosts: readonly HostName[], index: number, alone: IsAlone = nobody): readonly HostName[] {
    const [first] = hosts;
    if (first !== undefined && alone(first)) return [first];
    const taken: HostName[] = [];
    for (const host of hosts) {
      if (alone(host)) continue;
      const fits = this.#limits.every(({ hosts: all, serial }) => {
        if (!all.includes(host)) return true;
        const size = hostsIn(serial[Math.min(index, serial.length - 1)]!, all.length);
        return taken.filter((each) => all.includes(each)).length < size;
      });
      if (fits) taken.push(host);
    }
    return taken.length > 0 ? taken : hosts.slice(0, 1);
  }

  /** All waves of hosts that wait, if none fails. */
  waves(hosts: readonly HostName[], alone: IsAlone = nobody): readonly (readonly HostName[])[] {
    const waves: (readonly HostName[])[] = [];
    for (let left = [...hosts]; left.length > 0; ) {
      const wave = this.wave(left, waves.length, alone);
      waves.push(wave);
      left = left.filter((host) => !wave.includes(host));
    }
    return waves;
  }

  /** How long the mesh is watched after a wave of these hosts: as long as any of them asks for. */
  holdMs(wave: readonly HostName[]): number {
    const concerned = this.#limits.filter(({ hosts }) => wave.some((host) => hosts.includes(host)));
    return Math.max(0, ...concerned.map(({ holdMs }) => holdMs));
  }

  /** How many may fail, where more have failed than may; undefined where the run may go on. */
  exceededBy(failed: readonly HostName[]): number | undefined {
    return this.#limits.find(
      ({ hosts, maxFail }) => failed.filter((host) => hosts.includes(host)).length > maxFail,
    )?.maxFail;
  }
}

interface Placed {
  readonly step: AnyStep;
  readonly hosts: readonly HostName[];
  readonly rules: WaveRules;
}

/** What the run says counts before what the play says, and a group's word narrows both. A step may have its own sizes. */
export function waveLimits(
  { step, hosts, rules }: Placed,
  groups: NonNullable<InventoryView["rules"]>,
  ofRun: WaveRules,
): WaveLimits {
  const serial = step.serial ?? ofRun.serial ?? rules.serial ?? CAREFUL;
  const maxFail = ofRun.maxFail ?? rules.maxFail ?? 0;
  const all: Limit = { hosts, serial, maxFail, holdMs: ofRun.holdMs ?? rules.holdMs ?? 0 };
  const ofGroups = [...groups.values()].map(
    ({ hosts: members, serial: sizes, maxFail: most, holdMs }): Limit => ({
      hosts: members.filter((host) => hosts.includes(host)),
      serial: step.serial ?? ofRun.serial ?? sizes ?? ["100%"],
      maxFail: ofRun.maxFail ?? most ?? Number.POSITIVE_INFINITY,
      holdMs: ofRun.holdMs ?? holdMs ?? 0,
    }),
  );
  return new WaveLimits([all, ...ofGroups.filter(({ hosts: members }) => members.length > 0)]);
}
