import type { Health, Service } from "../../contract/step.ts";
import { isUnsteady, showUnsteady } from "../../daemon/unit.ts";
import { lastRefusal } from "../../haproxy/alerts.ts";
import { directiveOf, parseHaproxyConfig } from "../../haproxy/config.ts";
import { whyUnread } from "../../haproxy/config-file.ts";
import { settingsIn } from "../../haproxy/loaded.ts";
import { reloaded, systemctl } from "./changes.ts";
import type { HaproxyDesired } from "./desired.ts";
import { type HaproxyFacts, isActive, livingProcesses, reloadFailed } from "./facts.ts";
import { CONFIG, DROP_IN, UNIT } from "./paths.ts";

/** HAProxy. An old worker that serves on after a failed reload is no health: the next restart would bring it down. */
export const service: Service<HaproxyDesired, HaproxyFacts> = {
  health(facts): Health | undefined {
    const { unit, processes, journal, info, config } = facts;
    if (unit.load === "not-found") return undefined;
    const said = lastRefusal(journal, livingProcesses(facts));
    const reason = said === undefined ? "" : `: ${said}`;
    if (!isActive(facts)) return { is: "broken", because: `${UNIT} is ${unit.active}${reason}` };
    if (isUnsteady(unit)) return { is: "broken", because: `${UNIT} is ${showUnsteady(unit)}${reason}` };
    if (reloadFailed(facts)) {
      return { is: "broken", because: `reload failed, the old worker still serves${reason}` };
    }
    if (info.size === 0) return { is: "undecided", because: `${UNIT} runs, and no worker of it answers` };
    if (processes.is === "unreadable")
      return {
        is: "undecided",
        because: `${UNIT} runs, and its master does not answer: ${processes.because}`,
      };
    const unread = whyUnread(config);
    if (unread !== undefined) return { is: "undecided", because: `${CONFIG} was not read: ${unread}` };
    const onDisk = directiveOf(parseHaproxyConfig(config.content ?? ""), "global", "", "description")?.value;
    if (settingsIn(onDisk) === settingsIn(info.get("description"))) return { is: "healthy" };
    return { is: "broken", because: `the worker runs with another configuration than haproxy.cfg${reason}` };
  },
  activate(facts, paths) {
    // Only a restart takes in another limit of open files.
    const verb = isActive(facts) && !paths.includes(DROP_IN) ? "reload" : "restart";
    return [systemctl("daemon-reload"), reloaded(verb)];
  },
};
