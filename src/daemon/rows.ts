import type { Layer, Reading } from "../contract/reading.ts";
import { unitQuestion } from "../evidence/by-hand.ts";
import { rivalsOf } from "./boot.ts";
import { judgeStart, type StartNeeds } from "./next-start.ts";
import { isUnsteady, showUnsteady, type UnitFact } from "./unit.ts";

const INAPPLICABLE: Layer = { is: "inapplicable" };

/** Rows that every service has, in the same words. A step gives them what closes them. */
export function bootRow(unit: UnitFact, setting: string, ports?: Parameters<typeof rivalsOf>[2]): Reading {
  const { next, name } = unit;
  const rivals =
    ports !== undefined && next?.boot.is === "value" ? rivalsOf(next.boot.value, name, ports) : undefined;
  return {
    setting,
    want: "enabled",
    onDisk: bootLayer(unit),
    inForce: INAPPLICABLE,
    blocked: neverBooted(unit),
    ...(rivals === undefined ? {} : { warning: rivals }),
  };
}

/** Whether the next boot starts a unit: "enabled" when it does. */
export function bootLayer(unit: UnitFact): Layer {
  const { name, enabled, next } = unit;
  const source = `systemctl is-enabled ${name}`;
  if (enabled === "" || enabled === "not-found") return { is: "absent", source };
  if (next?.boot.is === "unreadable")
    return {
      is: "unreadable",
      source: "systemctl list-dependencies default.target",
      because: next.boot.because,
    };
  return { is: "read", value: bootState(unit), source };
}

/** As `systemctl is-enabled` says, or that nothing which boots asks for it. */
function bootState(unit: UnitFact): string {
  const { enabled, next } = unit;
  const isReached = next?.boot.is !== "value" || next.boot.value.units.has(unit.name);
  if (enabled !== "enabled" || isReached) return enabled || "disabled";
  const by = next!.wantedBy;
  return by.length === 0 ? "enabled, and no target asks for it" : `wanted by ${by.join(", ")} only`;
}

/** Whether the next boot starts it. */
export function isEnabled(unit: UnitFact): boolean {
  return bootState(unit) === "enabled";
}

/** Why no change of a unit's own makes the next boot start it. */
function neverBooted(unit: UnitFact): string | undefined {
  const { name, load, enabled, next } = unit;
  if (load === "masked" || enabled === "masked")
    return `${name} is masked, and systemd never starts it: systemctl unmask ${name}`;
  if (next?.boot.is !== "value") return undefined;
  const { target, units } = next.boot.value;
  if (units.has(MULTI_USER) || units.has(name)) return undefined;
  return `the host boots into ${target}, which does not want ${MULTI_USER}: systemctl set-default ${MULTI_USER}`;
}

const MULTI_USER = "multi-user.target";

const NOTHING = "nothing in its way";
const IN_ITS_WAY = "something in its way";

/** What else decides about the next start of a unit: its drop-ins, programs, limits and what systemd gives all services. */
export function nextStartRow(unit: UnitFact, needs: StartNeeds): Reading {
  const { blocked, warnings, unread } = judgeStart(unit, needs);
  const source = `systemctl cat ${unit.name}`;
  return {
    setting: `next start of ${unit.name}`,
    want: NOTHING,
    onDisk:
      unit.load === "not-found"
        ? { is: "absent", source }
        : unread !== undefined && blocked.length === 0
          ? { is: "unreadable", ...unread }
          : {
              is: "read",
              value: blocked.length === 0 ? NOTHING : IN_ITS_WAY,
              source,
            },
    inForce: INAPPLICABLE,
    blocked: blocked.length === 0 ? undefined : blocked.join("; "),
    warning: warnings.length === 0 ? undefined : warnings.join("; "),
  };
}

/** A row of the next start with more that keeps a unit from its work, or should be known. */
export function withFindings(
  row: Reading,
  { blocked, warnings }: { readonly blocked: readonly string[]; readonly warnings: readonly string[] },
): Reading {
  const all = (said: string | undefined, more: readonly string[]) =>
    [...(said === undefined ? [] : [said]), ...more].join("; ") || undefined;
  const onDisk: Layer =
    blocked.length > 0 && row.onDisk.is === "read" ? { ...row.onDisk, value: IN_ITS_WAY } : row.onDisk;
  return { ...row, onDisk, blocked: all(row.blocked, blocked), warning: all(row.warning, warnings) };
}

/** Whether a unit that is active stays so: `value` when it does. */
export function runningLayer(unit: UnitFact, value: string): Layer {
  const source = unitQuestion(unit.name, "ActiveState", "SubState", "NRestarts");
  if (unit.load === "not-found") return { is: "absent", source: unit.name };
  const restarts = unit.next?.restarts;
  if (restarts?.is === "unreadable" && !isUnsteady(unit))
    return { is: "unreadable", source: `journalctl -u ${unit.name}`, because: restarts.because };
  return { is: "read", value: isUnsteady(unit) ? showUnsteady(unit) : value, source };
}

/** Of a service that lives on: that it died within the hour, which may be once too often. */
export function deathWarning(unit: UnitFact): string | undefined {
  const { name, restarts, next } = unit;
  if (restarts === 0 || isUnsteady(unit) || next?.restarts?.is !== "value") return undefined;
  const [last] = next.restarts.value.slice(0, restarts).filter((seconds) => seconds < 3600);
  return last === undefined
    ? undefined
    : `${name} died, and systemd started it again ${Math.ceil(last / 60)} min ago: journalctl -u ${name} tells why, journalctl -k whether the kernel had no memory left`;
}

/** What a person does about a service that does not live on. */
export function unsteadyBecause(unit: UnitFact): string | undefined {
  return isUnsteady(unit)
    ? `${unit.name} is ${showUnsteady(unit)}: journalctl -u ${unit.name} tells why`
    : undefined;
}
