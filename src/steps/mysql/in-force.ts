import type { Layer } from "../../contract/reading.ts";
import { runningLayer, unsteadyBecause } from "../../daemon/rows.ts";
import { unitQuestion } from "../../evidence/by-hand.ts";
import { withoutTime } from "./error-log.ts";
import type { InstalledFacts } from "./facts.ts";
import { variableQuestion } from "./server.ts";
import { POOL, REDO_CAPACITY, type Setting } from "./settings.ts";

/** "changing": on its way up or down, and to be left alone. "failed": systemd gave up, or tries in vain. */
export type ServerState = "running" | "changing" | "stopped" | "failed";

export function stateOf({ unit, hasJob, process }: InstalledFacts): ServerState {
  switch (unit.active) {
    case "active":
      return hasJob ? "changing" : "running";
    case "activating": {
      // MySQL's unit is restarted for ever. One that recovers after a crash has a process that lives on.
      const isYoung = process === undefined || process.seconds < 10;
      if (unit.mainPid === 0 && unit.restarts > 0) return "failed";
      return unit.restarts >= 3 && isYoung ? "failed" : "changing";
    }
    case "deactivating":
    case "reloading":
      return "changing";
    case "failed":
      return hasJob ? "changing" : "failed";
    default:
      return hasJob ? "changing" : "stopped";
  }
}

/** The service as a whole: up, and the one that answers on the socket. */
export function serviceInForce(facts: InstalledFacts): Layer {
  const { unit, answeredBy } = facts;
  const source = unitQuestion(unit.name, "ActiveState", "MainPID", "NRestarts");
  switch (stateOf(facts)) {
    case "running":
      if (isStranger(facts)) {
        return { is: "read", value: `PID ${answeredBy!.pid} answers`, source: answeredBy!.socket };
      }
      if (answeredBy?.unread !== undefined)
        return { is: "unreadable", source: answeredBy.socket, because: answeredBy.unread };
      return runningLayer(unit, "running");
    case "changing":
      return { is: "unreadable", source, because: stillChanging(facts) };
    case "failed":
      return { is: "read", value: unit.active === "failed" ? "failed" : "restarted in vain", source };
    case "stopped":
      return { is: "absent", source };
  }
}

/** What a person should know of a service that is not as wanted. */
export function serviceBecause(facts: InstalledFacts): string | undefined {
  const { unit, errors } = facts;
  switch (stateOf(facts)) {
    case "changing":
      return stillChanging(facts);
    case "failed":
      return errors.length === 0
        ? `${unit.name} does not come up: ${unit.result}`
        : `${unit.name} does not come up: ${distinct(errors).slice(-3).join("; ")}`;
    case "running":
      return isStranger(facts) ? strangerBecause(facts) : unsteadyBecause(unit);
    case "stopped":
      return `${unit.name} does not run`;
  }
}

/** Without times, for a server that is restarted again and again says the same each time. */
function distinct(errors: readonly string[]): readonly string[] {
  return [...new Set(errors.map(withoutTime))];
}

/** Shutdown with dirty pages and crash recovery take many minutes, and must not be cut short. */
function stillChanging({ unit, process }: InstalledFacts): string {
  const who = process === undefined ? unit.name : `${unit.name} (PID ${process.pid}, ${process.seconds} s)`;
  return `${who} is still ${unit.active}: the outcome is unknown until it has ended. Look with "systemctl status ${unit.name}", leave it time, then run meshctl again`;
}

/** Another process than the service's answers on the socket. */
function isStranger({ unit, answeredBy }: InstalledFacts): boolean {
  return answeredBy !== undefined && answeredBy.pid !== 0 && answeredBy.pid !== unit.mainPid;
}

function strangerBecause({ unit, answeredBy }: InstalledFacts): string {
  const { pid, socket, unit: own } = answeredBy!;
  return own === undefined
    ? `the server that answers on ${socket} is PID ${pid}, not ${unit.name}'s ${unit.mainPid}: end that other server`
    : `the server that answers on ${socket} is PID ${pid} of ${own}, not ${unit.name}'s ${unit.mainPid}: give ${own} a socket of its own, and restart ${unit.name}`;
}

/** One setting as the running server has it. */
export function settingInForce(setting: Setting, facts: InstalledFacts): Layer {
  const { server, unit, live, liveError } = facts;
  const source = `${variableQuestion(server, setting.name)} (PID ${unit.mainPid})`;
  switch (stateOf(facts)) {
    case "changing":
      return { is: "unreadable", source: unit.name, because: stillChanging(facts) };
    case "stopped":
    case "failed":
      return { is: "absent", source: `${unit.name} does not run` };
    case "running": {
      if (isStranger(facts)) {
        return { is: "unreadable", source, because: "another process answers on the socket" };
      }
      if (facts.answeredBy?.unread !== undefined)
        return { is: "unreadable", source: facts.answeredBy.socket, because: facts.answeredBy.unread };
      const resized = resizingTo(setting, facts);
      if (resized !== undefined) {
        return {
          is: "read",
          value: setting.show(resized),
          source: `${server.name} -e "SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_capacity_resized'"`,
        };
      }
      const value = live?.get(setting.name);
      if (value !== undefined) return { is: "read", value: setting.show(Number(value)), source };
      const because =
        live === undefined ? liveError || "it did not answer in time" : "the server has no such variable";
      return { is: "unreadable", source, because };
    }
  }
}

/** How far the redo log is, while the server still brings it to the size that the variable says already. */
export function resizingTo(setting: Setting, { live }: InstalledFacts): number | undefined {
  const resized = live?.get("Innodb_redo_log_capacity_resized");
  if (setting.name !== REDO_CAPACITY || resized === undefined) return undefined;
  return resized === live?.get(REDO_CAPACITY) ? undefined : Number(resized);
}

/** Whether the running server can make its pool no larger. MariaDB says so with a warning only. */
export function isClamped(setting: Setting, { live }: InstalledFacts): boolean {
  const value = live?.get(POOL);
  if (setting.name !== POOL || value === undefined || value !== live?.get(`${POOL}_max`)) return false;
  return Number(value) < setting.number && !setting.acceptsLive(Number(value));
}
