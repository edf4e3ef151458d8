import type { Look } from "../lookout.ts";

/** A look as events for NDJSON, `summary` last. Keys are as the contract writes them. */
export function statusEvents({
  status,
  hosts,
  exitCode,
  durationMs,
}: Look): readonly Record<string, unknown>[] {
  const { problems, ensemble, services, proxies } = status;
  return [
    ...problems.map((problem) => ({ event: "problem", ...problem })),
    ...(ensemble === undefined
      ? []
      : [
          {
            event: "ensemble",
            quorum: ensemble.hasQuorum,
            serving: ensemble.serving,
            majority: ensemble.majority,
            synced_followers: ensemble.synced,
            members: ensemble.members,
          },
        ]),
    ...services.map(({ backends, ...service }) => ({
      event: "service",
      ...service,
      backends: backends.map(({ on, ...backend }) => ({ ...backend, proxies: Object.fromEntries(on) })),
    })),
    ...proxies.map(({ host, unread, haproxy, watcher, counts }) => ({
      event: "proxy",
      host,
      unread,
      haproxy: haproxy && { is: haproxy.is, age_seconds: haproxy.ageSeconds, version: haproxy.version },
      watcher: watcher && {
        is: watcher.is,
        age_seconds: watcher.ageSeconds,
        sessions: watcher.sessions,
        candidate: watcher.candidate,
        reload: watcher.reload,
      },
      servers: counts,
    })),
    {
      event: "summary",
      command: "status",
      exit_code: exitCode,
      duration_ms: Math.round(durationMs),
      problems: problems.length,
      hosts: hosts.map(({ is, ...host }) => ({ ...host, outcome: is })),
    },
  ];
}
