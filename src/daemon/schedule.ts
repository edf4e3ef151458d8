/** How the kernel treats a process beside others. */
export interface Schedule {
  /** 19 gives way to all others. */
  readonly nice: number;
  /** As sched(7) numbers them: 5 is SCHED_IDLE. */
  readonly policy: number;
  /** 1000 is ended first when memory is short. */
  readonly oomScoreAdj: number;
}

const LEAST_NICE = 10;
const LEAST_OOM_SCORE = 500;
const IDLE = 5;

/** Of /proc/PID/stat and oom_score_adj; undefined where they tell nothing. */
export function scheduleOf(stat: string, oomScoreAdj: string): Schedule | undefined {
  // The name, which may hold anything, is the second field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [nice, policy] = [fields[16], fields[38]].map(Number);
  if (!Number.isInteger(nice) || !Number.isInteger(policy)) return undefined;
  return { nice: nice!, policy: policy!, oomScoreAdj: Number(oomScoreAdj) };
}

/** What a process of a unit's gets less of than others, and the command that gives it back. */
export function heldBack(unit: string, pid: number, schedule: Schedule): readonly string[] {
  const { nice, policy, oomScoreAdj } = schedule;
  return [
    ...(policy === IDLE
      ? [`PID ${pid} of ${unit} gets what processors all others leave (SCHED_IDLE): chrt -a -o -p 0 ${pid}`]
      : nice >= LEAST_NICE
        ? [`PID ${pid} of ${unit} gives way to others (nice ${nice}): renice -n 0 -p ${pid}`]
        : []),
    ...(oomScoreAdj >= LEAST_OOM_SCORE
      ? [
          `the kernel ends PID ${pid} of ${unit} before others when memory is short (oom_score_adj ${oomScoreAdj}): echo 0 >/proc/${pid}/oom_score_adj`,
        ]
      : []),
  ];
}

/** Whether a setting of a unit's does the same at its next start. */
export function holdsBack(key: string, value: string): boolean {
  switch (key) {
    case "Nice":
      return Number(value) >= LEAST_NICE;
    case "OOMScoreAdjust":
      return Number(value) >= LEAST_OOM_SCORE;
    case "CPUSchedulingPolicy":
      return value === "idle";
    case "IOSchedulingClass":
      return /^(?:idle|3)$/.test(value);
    case "CPUWeight":
    case "StartupCPUWeight":
      return value === "idle" || Number(value) < 10;
    case "IOWeight":
      return Number(value) < 10;
    default:
      return false;
  }
}
