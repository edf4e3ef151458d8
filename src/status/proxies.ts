import type { HostName } from "../contract/inventory-view.ts";
import { hasWatcher } from "../contract/mesh.ts";
import { directiveOf, frameOf, parseHaproxyConfig } from "../haproxy/config.ts";
import { whyUnread } from "../haproxy/config-file.ts";
import { type HaproxyFacts, isActive, reloadFailed } from "../steps/haproxy/facts.ts";
import type { WatcherFacts } from "../steps/watcher/facts.ts";
import { isReloadPast } from "../steps/watcher/haproxy-rows.ts";
import { SYNAPSE } from "../steps/watcher/program.ts";
import type { HaproxyStatus, ProxyStatus, ServerState, ServiceStatus, WatcherStatus } from "./mesh-status.ts";
import type { MeshView } from "./mesh-view.ts";

/** Every reported host with a local proxy. */
export function proxiesStatus(view: MeshView, services: readonly ServiceStatus[]): readonly ProxyStatus[] {
  const hosts = new Set([...view.haproxy.keys(), ...view.watcher.keys()]);
  return [...hosts].filter(view.isReported).map((host) => {
    const haproxy = view.haproxy.get(host);
    const watcher = view.watcher.get(host);
    const unread = [haproxy, watcher].find((member) => member?.is === "unseen");
    return {
      host,
      unread: unread?.is === "unseen" ? unread.because : undefined,
      haproxy: haproxy?.is === "seen" ? haproxyStatus(haproxy.facts) : undefined,
      watcher: watcher?.is === "seen" && hasWatcher(view.mesh) ? watcherStatus(watcher.facts) : undefined,
      counts: countsOn(host, services),
    };
  });
}

function countsOn(host: HostName, services: readonly ServiceStatus[]): Record<ServerState, number> {
  const counts = { up: 0, down: 0, missing: 0, stale: 0, altered: 0, weightless: 0 };
  for (const { backends } of services) {
    for (const { on } of backends) {
      const state = on.get(host);
      if (state !== undefined) counts[state] += 1;
    }
  }
  return counts;
}

function haproxyStatus(facts: HaproxyFacts): HaproxyStatus {
  const age = facts.info.get("uptime_sec");
  const known = {
    ageSeconds: age === undefined ? undefined : Number(age),
    version: facts.info.get("version"),
  };
  if (!isActive(facts)) return { ...known, is: "stopped" };
  if (facts.socket.is !== "answered") return { ...known, is: "no answer" };
  if (reloadFailed(facts)) return { ...known, is: "reload failed" };
  const text = facts.config.content;
  if (text === undefined)
    return { ...known, is: whyUnread(facts.config) === undefined ? "older than the file" : "unknown" };
  if (facts.loaded.is === "unreadable") return { ...known, is: "unknown" };
  const config = parseHaproxyConfig(text);
  const onDisk = directiveOf(config, "global", "", "description")?.value;
  const runsTheFile =
    settingsOf(onDisk) === settingsOf(facts.info.get("description")) &&
    (facts.loaded.is !== "value" || frameOf(facts.loaded.value) === frameOf(config));
  return { ...known, is: runsTheFile ? "as on disk" : "older than the file" };
}

/** Without the digest of the servers: those change over the socket too, and are compared one by one. */
function settingsOf(description: string | undefined): string {
  return /^meshctl-[0-9a-f]{64}/.exec(description ?? "")?.[0] ?? "";
}

function watcherStatus(facts: WatcherFacts): WatcherStatus {
  const { process, install, reload, waiting } = facts;
  const started = process?.startedWith;
  const isCurrent = SYNAPSE.startedWith.every((path) => started?.get(path) === facts.files.get(path)?.sha256);
  return {
    is: process === undefined ? "stopped" : isCurrent ? "as on disk" : "older than its files",
    ageSeconds: process?.ageSeconds,
    sessions: facts.registry === undefined ? undefined : (process?.sessions ?? []),
    candidate: candidateOf(install?.outcome, waiting),
    reload:
      reload === undefined ? "none yet" : reload.outcome === "ok" || isReloadPast(facts) ? "ok" : "failed",
  };
}

function candidateOf(outcome: string | undefined, waiting: readonly string[]): WatcherStatus["candidate"] {
  if (outcome === "invalid" || outcome === "refused" || outcome === "failed") return outcome;
  if (waiting.length > 0) return "waits";
  return outcome === "ok" ? "installed" : "none yet";
}
