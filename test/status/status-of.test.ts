import { describe, expect, it } from "vitest";
import { commandOn } from "../../src/command-line.ts";
import type { ByDns } from "../../src/contract/mesh.ts";
import { isProxyWell } from "../../src/status/mesh-status.ts";
import { statusOf } from "../../src/status/status-of.ts";
import { DNS_ASKER } from "../../src/steps/watcher/paths.ts";
import { BARE } from "../steps/watcher/world.ts";
import { type MeshModel, viewOf } from "./world.ts";

const A = "10.0.0.21:9001";
const B = "bee_10.0.0.22:9001";

const status = (model: MeshModel) => statusOf(viewOf(model));
/** "kind hosts: what" of each problem, in order. */
const told = (model: MeshModel) =>
  status(model).problems.map(({ kind, hosts, what }) => `${kind} ${hosts.join(",")}: ${what}`);
const serving = (servers: Record<string, string>) => ({ watcher: { inForce: servers, onDisk: [A, B] } });

describe("the status of a mesh", () => {
  it("has no problem where all is as wanted", () => {
    const { problems, ensemble, services, proxies } = status({});
    expect(problems).toEqual([]);
    expect(ensemble).toMatchObject({ serving: 3, majority: 2, hasQuorum: true, synced: 2 });
    expect(services[0]).toMatchObject({ name: "user-api", registered: 2, skipped: [] });
    expect(services[0]?.backends.map(({ name, on }) => [name, ...on.values()])).toEqual([
      [A, "up", "up", "up"],
      [B, "up", "up", "up"],
    ]);
    expect(proxies.map(({ haproxy, watcher }) => [haproxy?.is, watcher?.is, watcher?.candidate])).toEqual(
      Array(3).fill(["as on disk", "as on disk", "installed"]),
    );
  });

  it("tells every state of a backend on the proxy that has it", () => {
    const { services, proxies } = status({
      proxies: {
        a: serving({ [A]: "DOWN 1/2", [B]: "UP 1/3" }),
        b: serving({ [A]: "UP", [B]: "MAINT" }),
        c: serving({ [A]: "UP", [B]: "DRAIN", "old_10.0.0.9:1": "UP" }),
      },
    });
    const states = Object.fromEntries(
      services[0]!.backends.map(({ name, on }) => [name, Object.fromEntries(on)]),
    );
    expect(states).toEqual({
      [A]: { a: "down", b: "up", c: "up" },
      [B]: { a: "up", b: "missing", c: "altered" },
      "old_10.0.0.9:1": { c: "stale" },
    });
    expect(services[0]?.backends.map(({ origin }) => origin)).toEqual(["registered", "registered", "none"]);
    expect(proxies[2]?.counts).toEqual({ up: 1, down: 0, missing: 0, stale: 1, altered: 1, weightless: 0 });
  });

  it("names an invalid candidate first, before a lost quorum and hosts that are away", () => {
    const refused = { outcome: "invalid", digest: "", message: "[ALERT] (4711) : unknown keyword 'x'" };
    const again = { ...refused, message: "[ALERT] (815) : unknown keyword 'x'" };
    const model: MeshModel = {
      members: { "zk-1": "looking", "zk-2": "stopped", "zk-3": "stopped" },
      proxies: {
        a: { watcher: { facts: { install: refused } } },
        b: { watcher: { facts: { install: again } } },
        c: "unseen",
      },
    };
    expect(status(model).problems.map(({ kind, hosts }) => [kind, ...hosts])).toEqual([
      ["invalid-candidate", "a", "b"],
      ["no-quorum"],
      ["unreachable", "c"],
      ["member", "zk-1"],
      ["member", "zk-2", "zk-3"],
    ]);
    expect(status(model).problems[0]).toMatchObject({
      evidence: refused.message,
      next: "ssh a cat /run/meshctl/haproxy.cfg.refused",
    });
  });

  it("names a backend that is left out for what it says of itself, and not a child that is none", () => {
    const children = {
      a_1: '{"host":"10.0.0.21","port":9001}',
      b_2: '{"host":"10.0.0.22","port":9001,"name":"bee"}',
      evil: '{"host":"127.0.0.1","port":9001}',
      lock: "",
    };
    const proxy = { watcher: { children } };
    const { problems, services } = status({ proxies: { a: proxy, b: proxy, c: proxy } });
    expect(services[0]?.skipped).toEqual(["evil", "lock"]);
    expect(problems).toEqual([
      {
        kind: "left-out",
        hosts: [],
        service: "user-api",
        what: "user-api: evil in /services/user-api: left out of HAProxy for what it says of itself",
        evidence: "evil: host 127.0.0.1 is each host's own loopback",
        next: "meshctl verify -l a --steps watcher --explain 'service user-api'",
      },
    ]);
  });

  describe("with a service that DNS tells", () => {
    const shop: ByDns = { by: "dns", names: [{ host: "api.example", port: 9001 }], intervalMs: 5_000 };
    const C = "10.0.0.22:9001";
    const proxy = (told: readonly string[] | { because: string }, servers: Record<string, string>) => ({
      watcher: {
        inForce: servers,
        onDisk: Object.keys(servers),
        facts: {
          registry: undefined,
          dns: new Map([["user-api", { is: "value" as const, value: new Map([["api.example", told]]) }]]),
        },
      },
    });
    const both = ["10.0.0.22", "10.0.0.21"];
    const of = (proxies: MeshModel["proxies"]) =>
      status({ service: { discovery: shop }, ...(proxies && { proxies }) });

    it("has no problem where the servers are its addresses, and a session nowhere", () => {
      const { problems, services, proxies } = of({ a: proxy(both, { [A]: "UP", [C]: "UP" }) });
      expect(problems).toEqual([]);
      expect(services[0]).toMatchObject({
        path: undefined,
        names: ["api.example:9001"],
        registered: undefined,
      });
      expect(services[0]?.backends.map(({ name, origin }) => [name, origin])).toEqual([
        [A, "dns"],
        [C, "dns"],
      ]);
      expect(proxies[0]?.watcher?.sessions).toBeUndefined();
      expect(proxies.every(isProxyWell)).toBe(true);
    });

    it("names what it lacks and what is told no more", () => {
      const { problems } = of({ a: proxy(both, { [A]: "UP", "10.0.0.9:9001": "UP" }) });
      expect(problems.map(({ kind, what }) => `${kind}: ${what}`)).toEqual([
        `missing: user-api: ${C}: told by DNS, and not in HAProxy`,
        "stale: user-api: 10.0.0.9:9001: in HAProxy, and not told by DNS any more",
      ]);
    });

    it("names why it is not told, once for all proxies, and how to ask", () => {
      const untold = proxy({ because: "10.0.0.53 does not answer for api.example" }, { [A]: "UP" });
      expect(of({ a: untold, b: untold }).problems).toEqual([
        {
          kind: "untold",
          hosts: ["a", "b"],
          service: "user-api",
          what: "user-api: DNS does not tell its servers",
          evidence: expect.stringContaining("10.0.0.53 does not answer for api.example"),
          next: commandOn("a", "ruby", DNS_ASKER, "", "api.example"),
        },
      ]);
    });

    it("says that requests fail where it has never been told", () => {
      const never = proxy({ because: "api.example does not exist" }, {});
      expect(of({ a: never }).problems[0]).toMatchObject({
        kind: "service-out",
        what: "user-api: DNS has told no server of it, requests to 127.0.0.1:8080 fail",
        evidence: expect.stringContaining("api.example does not exist"),
      });
    });
  });

  it("says of a DOWN backend where to look, once for all proxies", () => {
    const down = serving({ [A]: "DOWN", [B]: "UP" });
    const { problems } = status({ proxies: { a: down, b: down, c: {} } });
    expect(problems).toEqual([
      expect.objectContaining({
        kind: "down",
        hosts: ["a", "b"],
        evidence: `${A} (L4CON: Connection refused)`,
        next: "ssh app-1 ss -Hltnp sport = :9001",
      }),
    ]);
  });

  it("says of a backend that answers its check otherwise what it answers, and how to see that", () => {
    const check = { status: "L7STS", code: "400", words: "HTTP status 400" };
    const down = { watcher: { ...serving({ [A]: "DOWN", [B]: "UP" }).watcher, checks: { [A]: check } } };
    const [problem] = status({ proxies: { a: down } }).problems;
    expect(problem).toMatchObject({ kind: "down", evidence: `${A} (L7STS/400: HTTP status 400)` });
    expect(problem!.next).toMatch(/^ssh a .*\/dev\/tcp\/.* check 10\.0\.0\.21 9001 .*GET \/health/);
  });

  it("says that requests fail where no backend is UP, and not every backend's state again", () => {
    const down = serving({ [A]: "DOWN", [B]: "DOWN 1/2" });
    expect(told({ proxies: { a: down } })).toEqual([
      "service-out a: user-api: no backend is UP, requests to 127.0.0.1:8080 fail",
    ]);
  });

  it("tells a stopped watcher, and what its proxy lacks and keeps for it", () => {
    const stopped = {
      watcher: { ...serving({ [A]: "UP", "old_10.0.0.9:1": "UP" }).watcher, facts: { process: undefined } },
    };
    const problems = told({ proxies: { a: stopped, b: {} } });
    expect(problems).toEqual([
      "watcher a: the watcher does not run",
      `missing a: user-api: ${B}: registered, and not in HAProxy`,
      "stale a: user-api: old_10.0.0.9:1: in HAProxy, and not registered any more",
    ]);
  });

  it("tells a watcher that is frozen from one that runs, whatever its session is", () => {
    const { problems } = status({ proxies: { a: { watcher: { process: { isFrozen: true } } } } });
    expect(problems).toEqual([
      expect.objectContaining({
        kind: "watcher",
        what: "the watcher is frozen",
        next: "meshctl provision -l a --steps watcher",
      }),
    ]);
    expect(problems[0]?.evidence).toContain("kill -CONT 4711");
  });

  it("tells one problem of a HAProxy that does not run", () => {
    const dead = { haproxy: { active: "failed" }, watcher: { facts: { haproxy: BARE.haproxy } } };
    expect(told({ proxies: { a: dead, b: {} } })).toEqual(["haproxy a: HAProxy does not run"]);
  });

  it("tells a worker that is older than the file", () => {
    const old = { haproxy: { info: { description: `meshctl-${"0".repeat(64)}` } } };
    const { problems, proxies } = status({ proxies: { a: old } });
    expect(problems).toMatchObject([{ kind: "haproxy", hosts: ["a"] }]);
    expect(proxies[0]?.haproxy?.is).toBe("older than the file");
  });

  it("tells a worker that was loaded with another file than the one that is there again", () => {
    const retries = (count: number) => `global\n  description x\ndefaults\n  retries ${count}\n`;
    const loaded = { config: retries(3), loaded: retries(9), info: { description: "x" } };
    const { proxies } = status({
      proxies: { a: { haproxy: loaded }, b: { haproxy: { ...loaded, loaded: retries(3) } } },
    });
    expect(proxies[1]?.haproxy?.is).toBe("as on disk");
    expect(proxies[0]?.haproxy?.is).toBe("older than the file");
  });

  it("tells that a restart would bring a server back although the worker has forgotten it", () => {
    const onDisk = { watcher: { onDisk: [A, B, "old_10.0.0.9:1"], inForce: { [A]: "UP", [B]: "UP" } } };
    expect(status({ proxies: { a: onDisk } }).problems).toMatchObject([{ kind: "settings", hosts: ["a"] }]);
  });

  it.each([
    ["nothing has registered yet", {}],
    ["nothing is registered any more", { [A]: "MAINT" }],
  ])("says that requests fail where %s, and where to look", (words, inForce) => {
    const watcher = { children: {}, onDisk: [], inForce };
    const { problems } = status({ proxies: { a: { watcher }, b: { watcher } } });
    expect(problems).toEqual([
      {
        kind: "service-out",
        hosts: ["a", "b"],
        service: "user-api",
        what: `user-api: ${words}, requests to 127.0.0.1:8080 fail`,
        evidence: "/services/user-api holds no backend, and no host of the inventory has a registrar for it",
        next: "ssh zk-1 /usr/share/zookeeper/bin/zkCli.sh -server 10.0.0.2:2181 ls /services/user-api",
      },
    ]);
    const registered = status({ proxies: { a: { watcher } }, registrars: ["app-1", "app-2"] });
    expect(registered.problems).toMatchObject([{ next: "meshctl verify -l app-1,app-2 --steps registrar" }]);
  });

  it("says that requests fail where every backend has weight 0, and not where only one has", () => {
    const children = {
      a_1: '{"host":"10.0.0.21","port":9001,"haproxy_server_options":"weight 0"}',
      b_2: '{"host":"10.0.0.22","port":9001,"name":"bee","haproxy_server_options":"weight 0"}',
    };
    const onDisk = [`${A} weight 0`, `${B} weight 0`];
    const weightless = {
      children,
      onDisk,
      inForce: { [A]: "DRAIN", [B]: "DRAIN" },
      weights: { [A]: 0, [B]: 0 },
    };
    expect(told({ proxies: { a: { watcher: weightless } } })).toEqual([
      "service-out a: user-api: every backend has weight 0, requests to 127.0.0.1:8080 fail",
    ]);
    const one = {
      ...weightless,
      children: { ...children, b_2: '{"host":"10.0.0.22","port":9001,"name":"bee"}' },
    };
    const watcher = {
      ...one,
      onDisk: [onDisk[0]!, B],
      inForce: { [A]: "DRAIN", [B]: "UP" },
      weights: { [A]: 0 },
    };
    expect(told({ proxies: { a: { watcher } } })).toEqual([]);
  });

  it("tells the servers that are kept where nothing is registered any more, as the lesser trouble", () => {
    const kept = new Map([
      [
        "user-api",
        { path: "/services/user-api", backends: [{ name: undefined, host: "10.0.0.21", port: 9001 }] },
      ],
    ]);
    const watcher = { children: {}, onDisk: [A], inForce: { [A]: "UP" }, facts: { kept } };
    const { problems, services } = status({ proxies: { a: { watcher } } });
    expect(problems).toMatchObject([{ kind: "kept", hosts: ["a"] }]);
    expect(services[0]).toMatchObject({ registered: 0, backends: [{ name: A, origin: "kept" }] });
  });

  it("cannot tell what is registered where no member answers", () => {
    const watcher = { facts: { registry: { unreachable: "10.0.0.2:2181: Connection refused" } } };
    const { services } = status({ proxies: { a: { watcher } } });
    expect(services[0]?.registered).toBeUndefined();
    expect(services[0]?.backends.map(({ origin, on }) => [origin, on.get("a")])).toEqual([
      ["unknown", "up"],
      ["unknown", "up"],
    ]);
  });

  it("tells only of the hosts within the limit, and of the whole ensemble", () => {
    const down = serving({ [A]: "DOWN", [B]: "UP" });
    const { problems, proxies, ensemble } = status({
      proxies: { a: down, b: {} },
      limit: (host) => host === "b",
    });
    expect(problems).toEqual([]);
    expect(proxies.map(({ host }) => host)).toEqual(["b"]);
    expect(ensemble?.members).toHaveLength(3);
  });
});
