import type { Health, ReplacedFile, Service } from "../../contract/step.ts";
import { directiveOf, parseHaproxyConfig } from "../../haproxy/config.ts";
import { startProgram } from "../../smartstack/assess-program.ts";
import { unitPath } from "../../smartstack/program.ts";
import type { WatcherDesired } from "./desired.ts";
import type { WatcherFacts } from "./facts.ts";
import { isReloadPast } from "./haproxy-rows.ts";
import { HAPROXY_CONFIG, SYNAPSE_CONFIG, WATCHER_UNIT } from "./paths.ts";
import { SYNAPSE } from "./program.ts";

/**
 * Synapse and what it brings about. haproxy.cfg is written by the installer from what Synapse says, so the old one
 * comes back when Synapse runs with its old configuration again.
 */
export const service: Service<WatcherDesired, WatcherFacts> = {
  health(facts): Health | undefined {
    const { units, process, registry, install, reload, waiting, lastError, haproxy } = facts;
    const unit = units.get(WATCHER_UNIT);
    if (unit === undefined || unit.load === "not-found") return undefined;
    if (waiting.length > 0) return { is: "undecided", because: `${waiting[0]} waits for the installer` };
    if (install !== undefined && install.outcome !== "ok")
      return {
        is: "broken",
        because: `haproxy.cfg was not installed (${install.outcome}): ${install.message}`,
      };
    if (reload !== undefined && reload.outcome !== "ok" && !isReloadPast(facts) && !runsItsFile(facts)) {
      const isUnread = "unreachable" in haproxy && haproxy.isUnread === true;
      return {
        is: isUnread ? "undecided" : "broken",
        because: `HAProxy did not take the new haproxy.cfg: ${reload.message}`,
      };
    }
    // Synapse ends when ZooKeeper is away, whatever its own configuration is.
    if (registry !== undefined && "unreachable" in registry)
      return { is: "undecided", because: `no member of the ensemble answers: ${registry.unreachable}` };
    if (process !== undefined && unit.active === "active") return { is: "healthy" };
    const error = lastError === undefined ? "" : `; its last error: ${lastError}`;
    return { is: "broken", because: `${WATCHER_UNIT} is ${unit.active} (${unit.sub})${error}` };
  },
  keeps: ({ path, before }: ReplacedFile) =>
    before === undefined && [SYNAPSE_CONFIG, unitPath(WATCHER_UNIT)].includes(path)
      ? "there was none before, and no watcher that it could go back to"
      : undefined,
  activate: () => [startProgram(SYNAPSE)],
};

function runsItsFile({ haproxy, files }: WatcherFacts): boolean {
  const config = parseHaproxyConfig(files.get(HAPROXY_CONFIG)?.content ?? "");
  const described = directiveOf(config, "global", "", "description")?.value;
  return !("unreachable" in haproxy) && haproxy.description === described;
}
