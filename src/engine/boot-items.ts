import type { Change, Command } from "../contract/change.ts";
import { commandsOf } from "./commands-of.ts";

/** What changes how a unit starts at boot, of what systemctl does. */
const UNIT_VERBS: ReadonlySet<string> = new Set([
  "enable",
  "disable",
  "reenable",
  "mask",
  "unmask",
  "preset",
  "revert",
]);
/** What meshctl itself keeps there decides nothing of a boot. */
const OWN = "/var/lib/meshctl/";

/**
 * What a change does to how the host boots, as changed.sh takes it down: "file PATH", "package NAME", "unit NAME". What
 * scripts of steps do is told by the kernel's time stamps alone.
 */
export function bootItems(change: Pick<Change, "commands" | "activate">): readonly string[] {
  return [...new Set(commandsOf(change).flatMap(itemsOf))];
}

function itemsOf(command: Command): readonly string[] {
  switch (command.kind) {
    case "write":
    case "remove":
    case "restore":
    case "place":
      return command.path.startsWith(OWN) ? [] : [`file ${command.path}`];
    case "install":
      return command.packages.map((name) => `package ${name}`);
    case "run": {
      const [program, ...words] = command.argv;
      const [verb = "", ...units] = words.filter((word) => !word.startsWith("-"));
      return program === "systemctl" && UNIT_VERBS.has(verb) ? units.map((unit) => `unit ${unit}`) : [];
    }
    case "adopt":
    case "script":
      return [];
  }
}
