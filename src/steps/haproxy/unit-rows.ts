import type { Layer, Reading } from "../../contract/reading.ts";
import { familyOf } from "../../daemon/reach.ts";
import { bootRow, deathWarning, nextStartRow, runningLayer, unsteadyBecause } from "../../daemon/rows.ts";
import { accessRow, placeRow } from "../../daemon/surroundings-rows.ts";
import { packageQuestion, unitQuestion } from "../../evidence/by-hand.ts";
import { LOADED_RECORD } from "../../haproxy/loaded.ts";
import { maxconnWithin } from "../../haproxy/open-files.ts";
import { newestNeed } from "../../haproxy/versions.ts";
import { CONFIGURATION, PACKAGES } from "./closing.ts";
import type { HaproxyFacts } from "./facts.ts";
import { infoSource, unansweredLayer } from "./info-source.ts";
import { DROP_IN, LOAD_RECORDER, UNIT } from "./paths.ts";
import { whyStopped } from "./reasons.ts";
import type { Situation } from "./situation.ts";

const INAPPLICABLE: Layer = { is: "inapplicable" };

/** What runs: package, unit, limits. */
export function unitRows(situation: Situation): readonly Reading[] {
  return [
    version(situation),
    enabled(situation),
    running(situation),
    nextStart(situation),
    openFiles(situation),
    loadRecorder(situation),
    ...surroundings(situation),
  ];
}

function surroundings({ facts, loadRecorder, configFile, desired }: Situation): readonly Reading[] {
  if (facts.surroundings === undefined) return [];
  const mended = (path: string) =>
    (path === facts.loadRecorder.realPath && !loadRecorder.agrees) ||
    (path === facts.config.realPath && !configFile.agrees && !desired.watched)
      ? CONFIGURATION
      : undefined;
  return [
    accessRow(facts.surroundings, facts.unit.startedAt, mended),
    placeRow(facts.surroundings, "directories at boot", facts.unit),
  ];
}

function version(situation: Situation): Reading {
  const { facts, host, installed, active } = situation;
  const setting = "version";
  const retryOn = situation.desired.parameters.retry_on.length > 0;
  const need = newestNeed(situation.desired.settings);
  const newer = need !== undefined && (!retryOn || !isAtLeast("2.0", need.version)) ? need : undefined;
  const lowest = newer?.version ?? (retryOn ? "2.0" : "1.5");
  const want = `≥ ${lowest}`;
  const what = newer
    ? `${newer.what} needs ${lowest} or later`
    : retryOn
      ? `haproxy.retry_on needs ${lowest} or later`
      : `${lowest} or later is needed`;
  const instead = newer
    ? "take it away from this host"
    : retryOn
      ? "take retry_on away from this host"
      : "add a newer package source";
  if (installed === undefined) {
    if (facts.candidate?.is === "unreadable") {
      const { because } = facts.candidate;
      return {
        setting,
        want,
        onDisk: { is: "absent", source: packageQuestion("haproxy") },
        inForce: { is: "unreadable", source: "apt-cache policy haproxy", because },
      };
    }
    const candidate = facts.candidate?.is === "value" ? facts.candidate.value : "";
    const offered = /^\d/.test(candidate);
    const because = offered
      ? `not installed; apt offers ${candidate}`
      : "not installed, and apt does not know the package yet";
    const absent = {
      setting,
      want,
      onDisk: { is: "absent", source: packageQuestion("haproxy") },
      because,
    } as const;
    if (offered && !isAtLeast(candidate, lowest)) {
      const blocked = `apt offers HAProxy ${candidate}, and ${what}: ${instead}`;
      return { ...absent, inForce: INAPPLICABLE, blocked };
    }
    return { ...absent, inForce: { is: "absent", source: UNIT }, closedBy: { change: PACKAGES } };
  }
  const running = facts.info.get("version");
  const reading: Reading = {
    setting,
    want,
    onDisk: { is: "read", value: installed, source: packageQuestion("haproxy") },
    inForce: !active
      ? { is: "absent", source: UNIT }
      : running === undefined
        ? unansweredLayer(facts)
        : { is: "read", value: running, source: infoSource(facts) },
    accepts: (value, layer) =>
      (layer === "onDisk" || isSameVersion(value, installed)) && isAtLeast(value, lowest),
  };
  if (!isAtLeast(installed, lowest)) {
    const blocked = `HAProxy ${installed} is installed on ${host.os.prettyName}, and ${what}: ${instead}`;
    return { ...reading, blocked };
  }
  const because =
    running !== undefined && !isSameVersion(running, installed)
      ? `${running} runs since before ${installed} was installed`
      : undefined;
  return { ...reading, because, closedBy: closedByStart(situation) };
}

function isAtLeast(version: string, lowest: string): boolean {
  const [major = 0, minor = 0] = version.split(/[^0-9]+/).map(Number);
  const [leastMajor = 0, leastMinor = 0] = lowest.split(".").map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Debian's builds name themselves as their package does; others know only their upstream version. */
export function isSameVersion(running: string, installed: string): boolean {
  return running.includes("-")
    ? running === installed
    : /^[0-9.]+/.exec(running)?.[0] === /^[0-9.]+/.exec(installed)?.[0];
}

function enabled({ facts: { unit }, desired, installed }: Situation): Reading {
  const ports = desired.settings.services.map(({ port }) => port);
  const row = bootRow(unit, "enabled at boot", { ports, kind: "http" });
  // Older Debian masks the unit of a removed package itself, and takes that back when the package is installed.
  return {
    ...row,
    blocked: installed === undefined ? undefined : row.blocked,
    closedBy: { change: CONFIGURATION },
  };
}

/** Less than it takes for its connections, which open files tell: what no HAProxy could do with. */
const LEAST_BYTES = 64 * 2 ** 20;
const LEAST_TASKS = 16;

function nextStart(situation: Situation): Reading {
  const { desired, dropIn, facts, host } = situation;
  const row = nextStartRow(facts.unit, {
    memoryBytes: LEAST_BYTES,
    tasks: LEAST_TASKS + host.cpus,
    own: [DROP_IN],
    reach: {
      doors: desired.settings.services.map(({ bind, port }) => ({
        port,
        isLocal: /^(?:127\.|::1$)/.test(bind),
        family: familyOf([bind]),
      })),
      peers: [],
    },
    runs: dropIn.agrees
      ? [
          { key: "ExecStartPre", program: `${LOAD_RECORDER} ${LOADED_RECORD}` },
          { key: "ExecReload", program: `${LOAD_RECORDER} ${LOADED_RECORD}` },
        ]
      : [],
  });
  return { ...row, closedBy: closedByStart(situation) };
}

function running(situation: Situation): Reading {
  const { facts, active } = situation;
  const { unit } = facts;
  return {
    setting: "running",
    want: "active",
    onDisk: INAPPLICABLE,
    inForce: runningLayer(unit, active ? "active" : unit.active),
    because: active
      ? unsteadyBecause(unit)
      : situation.installed === undefined
        ? undefined
        : whyStopped(situation),
    warning: active ? deathWarning(unit) : undefined,
    blocked: unit.load === "masked" ? enabled(situation).blocked : undefined,
    closedBy: closedByStart(situation),
  };
}

/** Systemd goes on trying; the watcher gives it the file that HAProxy starts with. */
export function closedByStart({ awaitsWatcher, facts, dropIn }: Situation): Reading["closedBy"] {
  const goesOnTrying = awaitsWatcher && facts.unit.active === "activating" && dropIn.agrees;
  return goesOnTrying ? { step: "watcher" } : { change: CONFIGURATION };
}

function openFiles(situation: Situation): Reading {
  const { facts, host, dropIn, openFilesNeeded, desired } = situation;
  const { maxconn } = desired.parameters;
  const written = /^[ \t]*LimitNOFILE=(\S+)/m.exec(facts.dropIn.content ?? "")?.[1];
  const loaded = facts.limitNofile?.is === "value" ? facts.limitNofile.value : undefined;
  const shadowed =
    dropIn.agrees && !facts.unit.needDaemonReload && loaded !== undefined && loaded !== written;
  const others = facts.unit.dropInPaths.filter((path) => path !== DROP_IN).join(" ") || UNIT;
  const unread = unreadLimit(facts);
  const isEnough = (value: string) => asCount(value) >= openFilesNeeded;
  const reading: Reading = {
    setting: "open files",
    want: `≥ ${openFilesNeeded}`,
    onDisk: unread
      ? { is: "unreadable", ...unread }
      : shadowed
        ? { is: "read", value: loaded, source: others }
        : written === undefined
          ? { is: "absent", source: DROP_IN }
          : { is: "read", value: written, source: DROP_IN },
    inForce: openFilesInForce(facts),
    accepts: (value, layer) =>
      isEnough(value) && (layer === "inForce" ? !facts.unit.needDaemonReload : dropIn.agrees),
    cause: shadowed ? "shadowed" : undefined,
    because: facts.unit.needDaemonReload
      ? `systemd has not read the files of ${UNIT} since they changed`
      : written !== undefined && !dropIn.agrees && facts.dropIn.because === undefined
        ? `${DROP_IN} is not as meshctl writes it`
        : undefined,
    diff: unread === undefined ? dropIn.diff : undefined,
    closedBy: closedByStart(situation),
  };
  if (facts.dropIn.because === undefined && dropIn.blocked !== undefined)
    return { ...reading, blocked: dropIn.blocked };
  if (host.hardOpenFiles < openFilesNeeded) {
    const most = maxconnWithin(host.hardOpenFiles, host.cpus);
    const blocked = `haproxy.maxconn ${maxconn} needs ${openFilesNeeded} open files and the host allows ${host.hardOpenFiles}: lower haproxy.maxconn to ${most}, or raise the host's limit`;
    return { ...reading, blocked };
  }
  if (shadowed && !isEnough(loaded)) {
    const blocked = `${others} sets LimitNOFILE to ${loaded} after ${DROP_IN}: remove that line, or lower haproxy.maxconn to ${maxconnWithin(asCount(loaded), host.cpus)}`;
    return { ...reading, blocked };
  }
  return reading;
}

/** Why it is not known what the unit's files say of it. */
function unreadLimit({
  dropIn,
  limitNofile,
}: HaproxyFacts): { readonly source: string; readonly because: string } | undefined {
  if (dropIn.because !== undefined) return { source: DROP_IN, because: dropIn.because };
  if (limitNofile?.is !== "unreadable") return undefined;
  return { source: unitQuestion(UNIT, "LimitNOFILE"), because: limitNofile.because };
}

/** Of the worker, and of the master that starts the next one: the lower. */
function openFilesInForce({ worker, master, unit }: HaproxyFacts): Layer {
  const limits = [worker, master].flatMap((process) => (process.is === "value" ? [process.value] : []));
  const process = worker.is === "absent" ? master : worker;
  if (process.is === "absent") return { is: "absent", source: UNIT };
  const [lowest] = limits.toSorted((one, other) => one.hardOpenFiles - other.hardOpenFiles);
  if (process.is === "value" && lowest !== undefined)
    return { is: "read", value: String(lowest.hardOpenFiles), source: `/proc/${lowest.pid}/limits` };
  const source = worker.is === "absent" ? `/proc/${unit.mainPid}/limits` : "the worker's limits";
  return { is: "unreadable", source, because: process.is === "unreadable" ? process.because : "" };
}

/** The program that keeps what HAProxy is loaded with; what it kept is in force, or not, row by row. */
function loadRecorder(situation: Situation): Reading {
  const { facts, loadRecorder: file } = situation;
  const { because } = facts.loadRecorder;
  const want = "meshctl's";
  return {
    setting: LOAD_RECORDER,
    want,
    onDisk:
      because !== undefined
        ? { is: "unreadable", source: LOAD_RECORDER, because }
        : facts.loadRecorder.kind === "absent"
          ? { is: "absent", source: LOAD_RECORDER }
          : { is: "read", value: file.agrees ? want : "not as meshctl writes it", source: LOAD_RECORDER },
    inForce: INAPPLICABLE,
    blocked: because === undefined ? file.blocked : undefined,
    diff: because === undefined ? file.diff : undefined,
    closedBy: { change: CONFIGURATION },
  };
}

/** A limit as systemd, /proc and we ourselves write it. */
function asCount(limit: string): number {
  return /^\d+$/.test(limit) ? Number(limit) : Number.POSITIVE_INFINITY;
}
