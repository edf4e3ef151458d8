import type { Answer } from "../reader/answer.ts";
import type { AsStarted } from "./as-started.ts";
import type { BootPlan } from "./boot.ts";
import type { BootLine } from "./boot-lines.ts";
import type { Trigger } from "./triggers.ts";

/** A setting of a unit that is neither its package's nor read yet as ours: somebody has written it. */
export interface UnitLine {
  readonly path: string;
  readonly line: number;
  readonly section: string;
  readonly key: string;
  /** Of Environment= the names alone. */
  readonly value: string;
  /** Whether the process that runs was started after the file was changed last. */
  readonly isStarted: boolean;
  /** Of a condition: whether it holds now. */
  readonly holds?: Answer<boolean>;
  /** Of a dependency: the units that it names. */
  readonly units?: readonly { readonly unit: string; readonly load: string; readonly active: string }[];
}

export interface ProgramFact {
  readonly path: string;
  readonly found: Answer<{ readonly because: string; readonly realPath: string; readonly id: string }>;
}

/** Of a unit or a slice, in bytes and tasks. Infinity where there is no limit. */
export interface LimitFact {
  readonly name: string;
  readonly memoryMax: number;
  readonly memoryHigh: number;
  /** Seconds of a processor that it gets in a second. */
  readonly processors: number;
  /** Bytes that it may read or write in a second, of the disk that it is held back most on. */
  readonly diskBytes: number;
  readonly tasksMax: number;
  /** Those there are now; 0 where nobody counts. */
  readonly tasks: number;
  /** Addresses of which packets are dropped, and those that get through all the same. */
  readonly denied: readonly string[];
  readonly allowed: readonly string[];
}

/** What decides about the next start of a unit, beside its command. */
export interface NextStart {
  readonly lines: readonly UnitLine[];
  readonly programs: readonly ProgramFact[];
  /** Device and inode of the program that runs. */
  readonly runs: { readonly pid: number; readonly program: string } | undefined;
  /** What runs, beside what systemd would give it; undefined when nothing runs. */
  readonly asStarted?: Answer<AsStarted> | undefined;
  /** The unit's, then those of its slices. */
  readonly limits: readonly LimitFact[];
  /** ExecStartPre= as systemd shows it, one each. */
  readonly startsBefore: readonly string[];
  readonly reloads: readonly string[];
  readonly wantedBy: readonly string[];
  /** Units that say of this one that it must not run beside them. */
  readonly conflictedBy: readonly string[];
  /** Units that it is to be started both before and after. */
  readonly circle?: readonly string[];
  /** Units of an administrator's that the boot starts before it, and that have not come up in this one. */
  readonly neverRun?: readonly string[];
  readonly boot: Answer<BootPlan>;
  /** Settings for every service: the place, the key, its value or the names of variables. */
  readonly manager: Answer<
    readonly { readonly place: string; readonly key: string; readonly value: string }[]
  >;
  /** Lines outside of its own files that may end it, or name it. */
  readonly endings: Answer<readonly BootLine[]>;
  /** Of units that restart it: the timers and paths that start them. */
  readonly triggers?: ReadonlyMap<string, readonly Trigger[]>;
  /** Seconds ago of each start by systemd itself; undefined where there was none. */
  readonly restarts: Answer<readonly number[]> | undefined;
}
