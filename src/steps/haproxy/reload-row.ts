import type { Layer, Reading } from "../../contract/reading.ts";
import { socketQuestion, unitQuestion } from "../../evidence/by-hand.ts";
import { counted, showAge } from "../../quantity-text.ts";
import { CONFIGURATION } from "./closing.ts";
import { MASTER_SOCKET, UNIT } from "./paths.ts";
import { whyReloadFailed } from "./reasons.ts";
import type { Situation } from "./situation.ts";

/** One of before ends within moments unless a client holds it. */
const MOST_OLD_SECONDS = 600;

function oldWorkersWords({ facts: { processes } }: Situation): string | undefined {
  if (processes.is !== "value") return undefined;
  const { oldWorkers, oldestSeconds, reloadedSeconds } = processes.value;
  if (oldWorkers.length === 0) return undefined;
  if (oldWorkers.length === 1 && (reloadedSeconds ?? 0) < MOST_OLD_SECONDS) return undefined;
  const age = oldestSeconds === undefined ? "" : `, the oldest started ${showAge(oldestSeconds)} ago`;
  return (
    `${counted(oldWorkers.length, "worker")} of earlier reloads still serve clients that stay connected${age}, with the ` +
    `servers and settings of then: ps -o pid,etime,rss -p ${oldWorkers.join(",")}. Each ends with its last client, or when ` +
    "it is told to (kill PID); haproxy.hard_stop_after ends them by themselves"
  );
}

/** Whether the last reload worked; nothing while HAProxy does not run. */
export function lastReload(situation: Situation): readonly Reading[] {
  const { active, reloadFailed, desired, configAgrees } = situation;
  if (!active) return [];
  return [
    {
      setting: "last reload",
      want: "not failed",
      onDisk: { is: "inapplicable" },
      inForce: reloadLayer(situation),
      warning: reloadFailed ? undefined : oldWorkersWords(situation),
      because: reloadFailed ? whyReloadFailed(situation) : undefined,
      closedBy: desired.watched && !configAgrees ? { step: "watcher" } : { change: CONFIGURATION },
    },
  ];
}

function reloadLayer({ facts: { processes }, reloadFailed }: Situation): Layer {
  const question = socketQuestion(MASTER_SOCKET, "show proc");
  const value = reloadFailed ? "failed" : "not failed";
  if (processes.is === "value") {
    const { reloads, oldWorkers } = processes.value;
    const counts = `${counted(reloads, "reload")}, ${counted(oldWorkers.length, "old worker")}`;
    return { is: "read", value, source: `${question} (${counts})` };
  }
  if (reloadFailed) return { is: "read", value, source: unitQuestion(UNIT, "StatusText") };
  const because =
    processes.is === "unreadable"
      ? processes.because
      : `no program listens on it, so what it would say is not known: take EXTRAOPTS= out of the files of ${UNIT} (cat /etc/default/haproxy), and restart it`;
  return { is: "unreadable", source: question, because };
}
