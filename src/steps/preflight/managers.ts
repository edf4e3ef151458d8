import type { Reading } from "../../contract/reading.ts";
import { managersOf } from "../../daemon/managers.ts";
import { check } from "./check.ts";
import type { PreflightFacts } from "./facts.ts";

/** A row where another tool manages the host too: two that write the same files undo each other. */
export function managerReadings({ bootLines }: PreflightFacts): readonly Reading[] {
  const found = managersOf(bootLines);
  if (found.length === 0) return [];
  return [
    check({
      setting: "managed by others",
      want: "none that sets back what meshctl sets",
      found: found.join(", "),
      source: "cron, rc.local, units and their scripts",
      fine: true,
      warning: `${found.join(", ")} may set back what meshctl sets: leave files, packages and services of the mesh to one of them`,
    }),
  ];
}
