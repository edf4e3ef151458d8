import { stripVTControlCharacters } from "node:util";
import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { statusView } from "../../src/cli/ui/status-view.ts";
import { commandOn } from "../../src/command-line.ts";
import { showAge } from "../../src/quantity-text.ts";
import type { MeshStatus, ProxyStatus, ServerState } from "../../src/status/mesh-status.ts";

const paint = new Chalk({ level: 1 });

/** A made-up mesh: `states` of the first backend by proxy, everything else UP. */
function meshOf(
  proxies: number,
  backends: number,
  states: Readonly<Record<string, ServerState>> = {},
): MeshStatus {
  const hosts = Array.from({ length: proxies }, (_, at) => `kvm-${String(at + 1).padStart(2, "0")}`);
  const proxy = (host: string): ProxyStatus => {
    const state = states[host] ?? "up";
    const counts = { up: backends - 1, down: 0, missing: 0, stale: 0, altered: 0, weightless: 0 };
    return {
      host,
      haproxy: { is: "as on disk", ageSeconds: 100_000, version: "2.6.12" },
      watcher: {
        is: "as on disk",
        ageSeconds: 1_000_000,
        sessions: ["10.0.0.2:2181"],
        candidate: "installed",
        reload: "ok",
      },
      counts: { ...counts, [state]: counts[state] + 1 },
    };
  };
  const down = Object.keys(states);
  return {
    problems:
      down.length === 0
        ? []
        : [
            {
              kind: "down",
              hosts: down,
              service: "user-api",
              what: "user-api: backend-01_10.0.0.1:9001: registered, and DOWN by HAProxy's health check",
              evidence: "show stat against /services/user-api",
              next: commandOn("app-1", "ss", "-Hltnp", "sport", "=", ":9001"),
            },
          ],
    ensemble: {
      members: hosts.slice(0, 3).map((host, at) => ({
        host,
        role: at === 0 ? "leader" : "follower",
        serves: true,
      })),
      serving: 3,
      majority: 2,
      hasQuorum: true,
      synced: 2,
    },
    services: [
      {
        name: "user-api",
        front: "127.0.0.1:8080",
        path: "/services/user-api",
        names: undefined,
        registered: backends,
        skipped: [],
        leftOut: [],
        backends: Array.from({ length: backends }, (_, at) => ({
          name: `backend-${String(at + 1).padStart(2, "0")}_10.0.0.${at + 1}:9001`,
          origin: "registered",
          on: new Map(hosts.map((host) => [host, (at === 0 ? states[host] : undefined) ?? "up"])),
        })),
      },
    ],
    proxies: hosts.map(proxy),
  };
}

const view = (status: MeshStatus, columns: number, verbose = false) =>
  stripVTControlCharacters(statusView(status, { paint, columns, verbose }));
const SOME_DOWN = { "kvm-02": "down", "kvm-03": "down" } as const;
const MANY_DOWN = Object.fromEntries(
  Array.from({ length: 20 }, (_, at) => [`kvm-${String(at + 1).padStart(2, "0")}`, "missing"]),
) as Record<string, ServerState>;

describe("the status of a mesh on a screen", () => {
  it.each([
    [3, 2, 80],
    [3, 2, 160],
    [30, 50, 80],
    [30, 50, 160],
  ])("of %i proxies and %i backends fits into %i columns", (proxies, backends, columns) => {
    for (const states of [{}, SOME_DOWN, proxies === 30 ? MANY_DOWN : {}])
      for (const line of view(meshOf(proxies, backends, states), columns).split("\n"))
        expect(line.length, line).toBeLessThanOrEqual(columns);
  });

  it("says first what is wrong, where, how it is known and what to type", () => {
    const [what, evidence, next] = view(meshOf(3, 2, SOME_DOWN), 160).split("\n");
    expect(what).toBe(
      "✗ kvm-02, kvm-03 · user-api: backend-01_10.0.0.1:9001: registered, and DOWN by HAProxy's health check",
    );
    expect(evidence).toBe("    show stat against /services/user-api");
    expect(next).toBe("    → ssh app-1 ss -Hltnp sport = :9001");
  });

  it("names the proxies on which a backend is not UP", () => {
    expect(view(meshOf(3, 2, SOME_DOWN), 160)).toMatch(
      /✗ +backend-01_10\.0\.0\.1:9001 +UP on 1 of 3 · DOWN on kvm-02, kvm-03\n.*✓ +backend-02_\S+ +UP on all 3 proxies/,
    );
  });

  it("of a big mesh shows what is wrong one by one, and the rest as numbers", () => {
    const text = view(meshOf(30, 50, SOME_DOWN), 80);
    expect(text.split("\n").length).toBeLessThanOrEqual(24);
    expect(text).toMatch(/49 more +UP on all 30 proxies/);
    expect(text).toMatch(/28 more +as on disk/);
    expect(text).toMatch(/✗ +kvm-02 .*49 UP, 1 DOWN/);
  });

  it("of which much is wrong fits a screen as well", () => {
    const mesh = meshOf(30, 800, MANY_DOWN);
    for (const backend of mesh.services[0]!.backends)
      (backend.on as Map<string, ServerState>).set("kvm-30", "down");
    const text = view(mesh, 120);
    expect(text.split("\n").length).toBeLessThanOrEqual(50);
    expect(text).toMatch(/✗ +788 more +not UP on each; -v shows them/);
    expect(text).toMatch(/✗ +8 more +-v shows them/);
    expect(view(mesh, 120, true)).toContain("backend-800_");
  });

  it("shows all of a big mesh when asked to", () => {
    const text = view(meshOf(30, 50), 160, true);
    expect(text.match(/backend-\d\d_/g)).toHaveLength(50);
    expect(text.match(/^ +✓ +kvm-\d\d +as on disk/gm)).toHaveLength(30);
  });

  it("counts the names that a line has no room for", () => {
    expect(view(meshOf(30, 1, MANY_DOWN), 160)).toContain(
      "missing on kvm-01, kvm-02, kvm-03, kvm-04 and 16 more",
    );
  });

  it.each([
    [45, "45 s"],
    [600, "10 min"],
    [20_000, "5 h"],
    [1_000_000, "11 d"],
  ])("tells %i seconds as %s", (seconds, words) => {
    expect(showAge(seconds)).toBe(words);
  });
});
