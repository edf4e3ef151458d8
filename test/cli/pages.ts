import type { EvidenceEvent } from "../../src/cli/page/drift.ts";
import type { Seen } from "../../src/cli/page/verify-page.ts";
import { commandLine } from "../../src/command-line.ts";
import type { Layer } from "../../src/contract/reading.ts";
import type { HostOutcome } from "../../src/engine/events.ts";
import { judge } from "../../src/evidence/verdict.ts";
import type { MeshStatus, ServerState } from "../../src/status/mesh-status.ts";

/** What a host may say to become a part of the page. */
export const HOSTILE = `</style></script><script>alert(1)</script><img src=x onerror=a()> "'& \u001b[31m\u202e`;

const read = (value: string): Layer => ({ is: "read", value, source: "/etc/x:1" });

export function row(host: string, setting: string, inForce: string, more = {}): EvidenceEvent {
  const evidence = judge({ setting, want: "1", onDisk: read("1"), inForce: read(inForce), ...more });
  return { event: "evidence", host, step: "sysctl", evidence };
}

/** Proxies `kvm-1` and so on with one backend, which is DOWN on some; one of three members serves. */
export function meshOf(
  proxies: number,
  down: readonly string[] = [],
  name = "alpha_10.0.0.1:9001",
): MeshStatus {
  const hosts = Array.from({ length: proxies }, (_, at) => `kvm-${at + 1}`);
  const stateOn = (host: string): ServerState => (down.includes(host) ? "down" : "up");
  return {
    problems: down.map((host) => ({
      kind: "down",
      hosts: [host],
      what: `user-api: ${name} is DOWN`,
      evidence: "show stat",
      next: commandLine("ss", "-ltn"),
    })),
    ensemble: {
      members: [
        { host: "kvm-1", role: "leader", serves: true },
        { host: "kvm-2", role: "stopped", serves: false },
        { host: "kvm-3", role: "unreachable", serves: false },
      ],
      serving: 1,
      majority: 2,
      hasQuorum: false,
      synced: undefined,
    },
    services: [
      {
        name: "user-api",
        front: "127.0.0.1:8080",
        path: "/user-api",
        names: undefined,
        registered: 1,
        skipped: [],
        leftOut: [],
        backends: [{ name, origin: "registered", on: new Map(hosts.map((host) => [host, stateOn(host)])) }],
      },
    ],
    proxies: hosts.map((host) => ({
      host,
      haproxy: { is: "as on disk", ageSeconds: 100, version: "2.6" },
      watcher: {
        is: "as on disk",
        ageSeconds: 100,
        sessions: ["10.0.0.1:2181"],
        candidate: "installed",
        reload: "ok",
      },
      counts: { up: 0, down: 0, missing: 0, stale: 0, altered: 0, weightless: 0, [stateOn(host)]: 1 },
    })),
  };
}

export const outcome = (host: string, is: HostOutcome["is"], because?: string): HostOutcome => ({
  host,
  is,
  because,
  changed: [],
  unproven: [],
  execs: 1,
});

/** A run that found one host of two as wanted. */
export function seen(more: Partial<Seen> = {}): Seen {
  const hosts = [outcome("kvm-1", "as wanted"), outcome("kvm-2", "drift", "sysctl: b")];
  return {
    run: "20261127-090000-000000000000",
    files: ["i.yaml", "p.yaml"],
    version: "0.0.0",
    madeAt: new Date(0),
    summary: { event: "summary", exitCode: 2, durationMs: 1000, hosts },
    rows: [row("kvm-1", "a", "1"), row("kvm-1", "b", "1"), row("kvm-2", "a", "1"), row("kvm-2", "b", "0")],
    moments: [],
    mesh: meshOf(2),
    drift: undefined,
    noDiff: false,
    recorded: undefined,
    ...more,
  };
}

/** The same words in every place where a host or a file may have any. */
export function everywhere(words: string): Seen {
  const more = { because: words, warning: words, diff: { path: words, was: `${words}\n`, want: "b\n" } };
  const unread: Layer = { is: "unreadable", source: words, because: words };
  const rows = [row("kvm-2", words, words, more), row("kvm-2", "c", "0", { onDisk: unread })];
  const drift = { host: words, step: words, setting: words, was: words, is: words, isWell: false };
  return seen({
    rows,
    summary: { event: "summary", exitCode: 2, durationMs: 1, hosts: [outcome("kvm-2", "drift", words)] },
    moments: [{ atMs: 1, lastedMs: 1, host: words, what: words, isWell: false }],
    mesh: meshOf(2, ["kvm-1"], words),
    drift: {
      since: { run: words, at: "2026-11-27T09:00:00.000Z" },
      drifted: [drift],
      onlyNow: 1,
      onlyThen: 1,
    },
    files: [words],
    recorded: words,
  });
}
