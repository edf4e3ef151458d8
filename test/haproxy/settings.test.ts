import { describe, expect, it } from "vitest";
import type { Service } from "../../src/contract/mesh.ts";
import { haproxyParameters } from "../../src/haproxy/parameters.ts";
import { descriptionOf, haproxySettings, settingsDigest } from "../../src/haproxy/settings.ts";
import { newestNeed } from "../../src/haproxy/versions.ts";
import { mesh, service } from "./mesh.ts";

const settings = (parameters: Record<string, unknown> = {}, services: readonly Service[] = [service()]) =>
  haproxySettings(haproxyParameters.parse(parameters), mesh(services));

describe("HAProxy's parameters", () => {
  it("default to the seed's values, time-outs in milliseconds", () => {
    expect(haproxyParameters.parse({})).toEqual({
      maxconn: 50_000,
      timeout_connect: 500,
      timeout_client: 5_000,
      timeout_server: 5_000,
      timeout_tcp: 28_800_000,
      retries: 3,
      retry_on: [],
      global: [],
      defaults: [],
      sections: {},
      adopt: false,
    });
  });

  it("take durations with a unit, and no unknown key", () => {
    expect(haproxyParameters.parse({ timeout_client: "30s" }).timeout_client).toBe(30_000);
    expect(haproxyParameters.safeParse({ timeout_clients: "30s" }).success).toBe(false);
    expect(haproxyParameters.safeParse({ maxconn: 0 }).success).toBe(false);
    // An application's status is its answer.
    expect(haproxyParameters.safeParse({ retry_on: ["503"] }).success).toBe(false);
  });
});

describe("HAProxy's settings", () => {
  it("allow as many connections in front ends as in the whole process, which 1.x does not do by itself", () => {
    const { global, defaults } = settings({ maxconn: 9000 });
    expect(global).toContain("maxconn 9000");
    expect(defaults).toContain("maxconn 9000");
  });

  it("speak to a TCP service without HTTP, and check it without a request when none is wanted", () => {
    const db = service({
      name: "db",
      mode: "tcp",
      port: 3307,
      check: { http: undefined, interMs: 500, rise: 1, fall: 2, failFast: false },
    });
    expect(settings({}, [db]).services[0]).toMatchObject({
      frontend: ["mode tcp", "option tcplog", "option clitcpka", "timeout client 28800000ms"],
      backend: ["mode tcp", "balance roundrobin", "option srvtcpka", "timeout server 28800000ms"],
      serverOptions: "check inter 500 rise 1 fall 2",
    });
  });

  it.each([
    ["slower than the measured one", { interMs: 2000, fall: 3 }, "inter 350 fastinter 100 rise 2 fall 2"],
    ["faster", { interMs: 90, fall: 1 }, "inter 90 fastinter 90 rise 2 fall 1"],
  ])("fail fast although the check is %s, by failed connections and never by a status", (_, check, line) => {
    const failingFast = { ...service().check, ...check, failFast: true };
    for (const mode of ["http", "tcp"] as const) {
      const [only] = settings({}, [service({ mode, check: failingFast })]).services;
      expect(only?.serverOptions).toBe(`check ${line} observe layer4 error-limit 3 on-error mark-down`);
      expect(only?.backend).toContain("timeout check 250ms");
    }
  });

  it("send only GET and HEAD a second time, never give up on failed connections, and leave TCP alone", () => {
    const services = [service(), service({ name: "db", mode: "tcp" })];
    const retrying = settings({ retry_on: ["empty-response"] }, services);
    expect(retrying.defaults).toContain("retry-on conn-failure empty-response");
    const withRule = retrying.services.map(({ backend }) =>
      backend.includes("http-request disable-l7-retry unless METH_GET"),
    );
    expect(withRule).toEqual([true, false]);
  });

  it("bound the workers of earlier reloads where that is asked for, and need HAProxy 1.8 for it", () => {
    const bounded = settings({ hard_stop_after: 1_800_000 });
    expect(bounded.global).toContain("hard-stop-after 1800000ms");
    expect(newestNeed(bounded)).toEqual({ version: "1.8", what: 'the line "hard-stop-after 1800000ms"' });
    expect(settings().global.join()).not.toContain("hard-stop-after");
  });

  it("use no directive that HAProxy 1.5 does not know", () => {
    const failing = service({ name: "fast", check: { ...service().check, failFast: true } });
    const { global, defaults, services } = settings({}, [service(), failing]);
    const lines = [
      ...global,
      ...defaults,
      ...services.flatMap(({ frontend, backend }) => [...frontend, ...backend]),
    ];
    const newer =
      /expose-fd|hard-stop-after|http-check send|master-worker|server-state|retry-on|strict-limits|disable-l7-retry/;
    expect(lines.filter((line) => newer.test(line))).toEqual([]);
  });
});

describe("the settings' digest", () => {
  it("is the same for the same settings and travels in the description", () => {
    expect(settingsDigest(settings())).toBe(settingsDigest(settings()));
    expect(descriptionOf(settings())).toMatch(/^meshctl-[0-9a-f]{64}$/);
  });

  it.each([
    ["a time-out", settings({ timeout_server: "6s" })],
    ["a service's port", settings({}, [service({ port: 8081 })])],
    ["a check's interval", settings({}, [service({ check: { ...service().check, interMs: 1000 } })])],
    ["failing fast", settings({}, [service({ check: { ...service().check, failFast: true } })])],
    ["a fixed server", settings({}, [service({ servers: [{ name: "a", host: "10.0.0.9", port: 80 }] })])],
  ])("changes with %s", (_what, other) => {
    expect(settingsDigest(other)).not.toBe(settingsDigest(settings()));
  });
});
