import type { Health, Service, Vital, Vitals } from "../../contract/step.ts";
import { isUnsteady, showUnsteady } from "../../daemon/unit.ts";
import { lastRefusal } from "../../haproxy/alerts.ts";
import { directiveOf, parseHaproxyConfig } from "../../haproxy/config.ts";
import { whyUnread } from "../../haproxy/config-file.ts";
import { settingsIn } from "../../haproxy/loaded.ts";
import { serverVitals, shownAfterMs } from "../../haproxy/vitals.ts";
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

/** Whether HAProxy runs, and each server that it has. With a watcher the servers are the watcher's to tell of. */
export function vitals({ watched, settings }: HaproxyDesired, facts: HaproxyFacts): Vitals {
  if (facts.unit.load === "not-found") return { is: "read", of: new Map(), shownAfterMs: 0 };
  if (!isActive(facts)) {
    const of = new Map<string, Vital>([[UNIT, { is: "bad", because: `is ${facts.unit.active}` }]]);
    return { is: "read", of, shownAfterMs: 0 };
  }
  const running: [string, Vital] = [UNIT, { is: "well" }];
  if (watched) return { is: "read", of: new Map([running]), shownAfterMs: 0 };
  if (facts.table.is !== "value") {
    const because = facts.table.is === "unreadable" ? facts.table.because : "no worker answers";
    return { is: "unread", because };
  }
  const of = new Map([running, ...serverVitals(facts.table.value.servers, settings.services)]);
  return { is: "read", of, shownAfterMs: shownAfterMs(settings.services) };
}
