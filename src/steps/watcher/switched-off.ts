import type { Assessed, Reading } from "../../step.ts";
import type { WatcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { INSTALLER_PATH_UNIT, WATCHER_UNIT } from "./paths.ts";

const SWITCH_OFF = "switch off";

/** Whether there is nothing in ZooKeeper to follow. Then haproxy.cfg is the haproxy step's to write. */
export function isUnneeded({ services }: WatcherDesired): boolean {
  return services.every(({ path }) => path === undefined);
}

/** No watcher runs, now or after a reboot: a file has one writer. */
export function switchedOff({ units }: WatcherFacts): Assessed {
  const names = [WATCHER_UNIT, INSTALLER_PATH_UNIT].filter((name) => {
    const unit = units.get(name);
    return (
      unit !== undefined && (unit.enabled === "enabled" || !["inactive", "failed"].includes(unit.active))
    );
  });
  const readings = [WATCHER_UNIT, INSTALLER_PATH_UNIT].map((name): Reading => {
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
        value: names.includes(name) ? (unit?.active ?? "off") : "off",
        source: "systemd",
      },
      because: "no service of the mesh has a path, and the haproxy step writes haproxy.cfg",
      closedBy: { change: SWITCH_OFF },
    };
  });
  if (names.length === 0) return { readings, changes: [] };
  return {
    readings,
    changes: [
      {
        id: SWITCH_OFF,
        why: "no service of the mesh has a path any more",
        commands: [],
        activate: [{ kind: "run", argv: ["systemctl", "disable", "--now", ...names], timeoutMs: 60_000 }],
      },
    ],
  };
}
