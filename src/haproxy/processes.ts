/** What the master process tells of itself and its workers in `show proc`. */
export interface Processes {
  readonly master: number;
  /** Reloads since the master started. */
  readonly reloads: number;
  /** Whether the last reload failed and an older worker serves on. */
  readonly lastReloadFailed: boolean;
  readonly workers: readonly number[];
  /** Workers of earlier reloads that still have connections, or serve because the reload failed. */
  readonly oldWorkers: readonly number[];
  /** Since the oldest of those was started, and since the last reload that worked; undefined where it is not shown. */
  readonly oldestSeconds: number | undefined;
  readonly reloadedSeconds: number | undefined;
}

/**
 * Reads what `show proc` prints. Undefined when it tells of no master.
 * HAProxy ≥ 2.5 says "[failed: N]"; before, a failed reload leaves the worker under "# old workers", alone.
 */
export function processesOf(text: string): Processes | undefined {
  let master: readonly string[] | undefined;
  let old = false;
  const workers: number[] = [];
  const oldWorkers: number[] = [];
  const ages: number[] = [];
  const oldAges: number[] = [];
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    if (line.startsWith("#")) old = line.startsWith("# old workers");
    else if (words[1] === "master") master = words;
    else if (words[1] === "worker") {
      (old ? oldWorkers : workers).push(Number(words[0]));
      const age = ageIn(words);
      if (age !== undefined) (old ? oldAges : ages).push(age);
    }
  }
  if (master === undefined) return undefined;
  const failures = /\[failed: (\d+)\]/.exec(master.join(" "))?.[1];
  const reloads = failures === undefined ? master[3] : master[2];
  return {
    master: Number(master[0]),
    reloads: Number(reloads ?? 0),
    lastReloadFailed:
      failures === undefined ? workers.length === 0 && oldWorkers.length > 0 : Number(failures) > 0,
    workers,
    oldWorkers,
    oldestSeconds: oldAges.length === 0 ? undefined : Math.max(...oldAges),
    reloadedSeconds: ages.length === 0 ? undefined : Math.min(...ages),
  };
}

/** "1d02h03m04s", whichever column it is in. */
function ageIn(words: readonly string[]): number | undefined {
  const found = words.map((word) => /^(\d+)d(\d+)h(\d+)m(\d+)s$/.exec(word)).find((match) => match !== null);
  if (found === undefined) return undefined;
  const [days, hours, minutes, seconds] = found.slice(1).map(Number);
  return ((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!;
}
