import type { ProbeOutput } from "../step.ts";
import { rowsOf } from "./probe-output.ts";

/** What `emit_units` read of one systemd unit. */
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
  readonly needDaemonReload: boolean;
}

export function unitFacts(output: ProbeOutput): ReadonlyMap<string, UnitFact> {
  const properties = new Map<string, Map<string, string>>();
  for (const [unit, property, value] of rowsOf(output, "unit")) {
    const known = properties.get(unit!) ?? new Map<string, string>();
    known.set(property!, value ?? "");
    properties.set(unit!, known);
  }
  const enabled = new Map(rowsOf(output, "unit_enabled").map(([unit, state]) => [unit!, state ?? ""]));
  const facts = new Map<string, UnitFact>();
  for (const [name, known] of properties) {
    const text = (property: string) => known.get(property) ?? "";
    facts.set(name, {
      name,
      load: text("LoadState"),
      active: text("ActiveState"),
      sub: text("SubState"),
      enabled: enabled.get(name) ?? text("UnitFileState"),
      mainPid: Number(text("MainPID") || 0),
      restarts: Number(text("NRestarts") || 0),
      result: text("Result"),
      statusText: text("StatusText"),
      fragmentPath: text("FragmentPath"),
      dropInPaths: text("DropInPaths").split(" ").filter(Boolean),
      needDaemonReload: text("NeedDaemonReload") === "yes",
    });
  }
  return facts;
}
