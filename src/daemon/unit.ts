import { isLiving } from "./living.ts";
import type { NextStart } from "./start-facts.ts";
import { loadedStart, type UnitStart } from "./unit-start.ts";

/** What was read of one systemd unit. */
export interface UnitFact {
  readonly name: string;
  /** "loaded", "not-found", "masked", "error" … */
  readonly load: string;
  /** "active", "inactive", "failed", "activating", "deactivating", "reloading". */
  readonly active: string;
  readonly sub: string;
  /** As `systemctl is-enabled` says: "enabled", "disabled", "static" …; "" when it says nothing. Also right for SysV. */
  readonly enabled: string;
  /** 0 when no main process runs. */
  readonly mainPid: number;
  readonly restarts: number;
  readonly result: string;
  readonly statusText: string;
  readonly fragmentPath: string;
  readonly dropInPaths: readonly string[];
  /** Whether systemd has older files than there are. */
  readonly needDaemonReload: boolean;
  /** Of the start that runs or ran last, as systemd numbers them; undefined when it has not been started. */
  readonly invocation: string | undefined;
  /** Age of the main process; undefined when none runs. */
  readonly ageSeconds: number | undefined;
  /** How the next start would be, as systemd has it from all of the unit's files. */
  readonly start: UnitStart;
  /** Lines of its drop-ins that say how it starts. */
  readonly startLines: readonly { readonly path: string; readonly line: number; readonly key: string }[];
  /** When the main process was started, in seconds since 1970; undefined when none runs. */
  readonly startedAt?: number | undefined;
  /** What else decides about its next start. */
  readonly next?: NextStart;
}

/** Whether it crashes again and again: within the last hour, or so young that one look cannot tell. */
export function isUnsteady({ restarts, ageSeconds, next }: UnitFact): boolean {
  if (restarts === 0) return false;
  const age = ageSeconds ?? 0;
  // Those before somebody started it anew are over.
  const ages = next?.restarts?.is === "value" ? next.restarts.value.slice(0, restarts) : [];
  return age < STEADY_SECONDS || !isLiving(age, ages);
}

/** A service that was started again and is younger is not believed to run. */
const STEADY_SECONDS = 10;

/** What an unsteady service does, in words. */
export function showUnsteady({ restarts, ageSeconds }: UnitFact): string {
  return `running for ${ageSeconds ?? 0} s after ${restarts} restart${restarts === 1 ? "" : "s"}`;
}

export interface UnitWords {
  /** All that systemd shows of a property. */
  readonly values: (property: string) => readonly string[];
  readonly enabled: string | undefined;
  readonly ageSeconds: number | undefined;
  /** Whether a file of it is newer than what systemd has. */
  readonly hasUnread: boolean;
  readonly startLines: UnitFact["startLines"];
  readonly startedAt?: number | undefined;
  readonly next?: NextStart;
}

export function unitFact(
  name: string,
  { values, enabled, ageSeconds, hasUnread, startLines, startedAt, next }: UnitWords,
): UnitFact {
  const text = (property: string) => values(property).at(-1) ?? "";
  return {
    name,
    load: text("LoadState"),
    active: text("ActiveState"),
    sub: text("SubState"),
    enabled: enabled ?? text("UnitFileState"),
    mainPid: Number(text("MainPID") || 0),
    restarts: Number(text("NRestarts") || 0),
    result: text("Result"),
    statusText: text("StatusText"),
    fragmentPath: text("FragmentPath"),
    dropInPaths: text("DropInPaths").split(" ").filter(Boolean),
    needDaemonReload: text("NeedDaemonReload") === "yes" || hasUnread,
    invocation: text("InvocationID") || undefined,
    ageSeconds,
    start: loadedStart(values),
    startLines,
    startedAt,
    ...(next === undefined ? {} : { next }),
  };
}
