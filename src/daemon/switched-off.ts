import type { Change } from "../contract/change.ts";
import type { Reading } from "../contract/reading.ts";

export interface UnitState {
  readonly load: string;
  readonly active: string;
  readonly enabled: string;
}

/** Rows and change for a host on which units of ours are to rest, now and after a reboot. `what`: "the watcher". */
export function switchedOff(
  what: string,
  names: readonly string[],
  units: ReadonlyMap<string, UnitState>,
  why: string,
): { readonly readings: readonly Reading[]; readonly changes: readonly Change[] } {
  const id = `switch ${what} off`;
  const on = names.filter((name) => isOn(units.get(name)));
  const readings = names.map((name): Reading => {
    const unit = units.get(name);
    return {
      setting: name,
      want: "off",
      onDisk: {
        is: "read",
        value: unit?.enabled === "enabled" ? "enabled" : "off",
        source: `systemctl is-enabled ${name}`,
      },
      inForce: {
        is: "read",
        value: on.includes(name) ? unit!.active : "off",
        source: `systemctl is-active ${name}`,
      },
      because: why,
      closedBy: { change: id },
    };
  });
  if (on.length === 0) return { readings, changes: [] };
  const change: Change = {
    id,
    why,
    commands: [],
    activate: [{ kind: "run", argv: ["systemctl", "disable", "--now", ...on], timeoutMs: 60_000 }],
  };
  return { readings, changes: [change] };
}

function isOn(unit: UnitState | undefined): boolean {
  return unit !== undefined && (unit.enabled === "enabled" || !["inactive", "failed"].includes(unit.active));
}
