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
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    if (line.startsWith("#")) old = line.startsWith("# old workers");
    else if (words[1] === "master") master = words;
    else if (words[1] === "worker") (old ? oldWorkers : workers).push(Number(words[0]));
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
  };
}
