import { switchedOff, type UnitState } from "../daemon/switched-off.ts";

/** Synapse, which writes a candidate, and what puts it into force: the two that start at boot. */
export const WATCHER_UNIT = "meshctl-watcher.service";
export const INSTALLER_PATH_UNIT = "meshctl-haproxy-install.path";

/**
 * Rows and change for a host that is to have no watcher: none runs, now or after a reboot, for a file has one writer.
 * Both steps that write haproxy.cfg ask for it, so that neither needs the other in the playbook.
 */
export function switchedOffWatcher(units: ReadonlyMap<string, UnitState>, why: string) {
  return switchedOff("the watcher", [WATCHER_UNIT, INSTALLER_PATH_UNIT], units, why);
}
