import { describe, expect, it } from "vitest";
import type { HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import { registrar } from "../../../src/steps/registrar/index.ts";
import { renderNerveConfig } from "../../../src/steps/registrar/nerve-config.ts";
import { desired, userApi } from "./world.ts";

const inventory = {
  file: "inventory.yaml",
  hosts: new Map(),
  network: {},
  mesh: {
    ensemble: [{ host: "kvm-01", address: "10.0.0.2", id: 1 }],
    zookeeper: { clientPort: 2181 },
    networks: ["10.0.0.0/16", "fd00::/64"],
    services: [
      {
        name: "user-api",
        discovery: { by: "zookeeper", path: "/services/user-api" },
        check: { http: { method: "HEAD", path: "/up" } },
        serverOptionsAllowed: ["ssl"],
      },
      {
        name: "queue",
        discovery: { by: "zookeeper", path: "/services/queue" },
        check: { http: undefined },
        serverOptionsAllowed: [],
      },
      { name: "told", discovery: { by: "dns" }, check: { http: undefined }, serverOptionsAllowed: [] },
      { name: "fixed", discovery: { by: "inventory" }, check: { http: undefined }, serverOptionsAllowed: [] },
      {
        name: "admin",
        discovery: {
          by: "zookeeper",
          path: "/services/orders",
          labels: [
            { label: "kind", value: "admin", condition: "equals" },
            { label: "stage", value: "canary", condition: "not-equals" },
          ],
        },
        check: { http: undefined },
        serverOptionsAllowed: [],
      },
    ],
  },
} as unknown as InventoryView;

const host = (address = "10.0.0.11") => ({ name: "app-01", address }) as unknown as HostView;
const parse = (services: object) => registrar.parameters.parse({ services });

describe("the registrar's parameters", () => {
  it("check a service as the mesh does unless they say otherwise", () => {
    const of = (services: object) => registrar.desired(parse(services), host(), inventory).services;
    expect(of({ "user-api": { port: 9000 } })).toEqual([
      { ...userApi, check: { ...userApi.check, httpPath: "/up" } },
    ]);
    expect(of({ "user-api": { port: 1, check: { http: "/health" } } })[0]!.check.httpPath).toBe("/health");
    expect(of({ "user-api": { port: 1, check: { http: false } } })[0]!.check.httpPath).toBeUndefined();
    expect(of({ queue: { port: 1 } })[0]!.check.httpPath).toBeUndefined();
  });

  it("name services of the mesh that have a path", () => {
    const problems = (services: object, address?: string) =>
      registrar.problems!(parse(services), host(address), inventory);
    expect(problems({ "user-api": { port: 9000 }, queue: { port: 9001 } })).toEqual([]);
    expect(problems({ "user-apu": { port: 9000 } })).toEqual([
      {
        path: ["services", "user-apu"],
        message: "'user-apu' is not a service of the mesh; did you mean 'user-api'?",
      },
    ]);
    expect(problems({ fixed: { port: 9000 } })[0]!.message).toContain("no path in ZooKeeper");
    expect(problems({ told: { port: 9000 } })[0]!.message).toMatch(
      /is told by DNS, and has no path in ZooKeeper/,
    );
    expect(problems({ "user-api": { port: 9000 } }, "10.1.0.1")[0]!.message).toBe(
      "no proxy would take 10.1.0.1, which is in none of mesh.networks (10.0.0.0/16, fd00::/64)",
    );
    expect(problems({ queue: { port: 9000 } }, "fd00::1")[0]!.message).toContain("knows no IPv6");
  });

  it("may be several instances of one service, each with labels by which its service picks it", () => {
    const of = (services: object) => registrar.desired(parse(services), host(), inventory).services;
    const two = of({
      "user-api": [{ port: 9001 }, { port: 9002, backup: true, weight: 5, server_options: "ssl" }],
    });
    expect(two.map(({ name, key, port, options }) => ({ name, key, port, options }))).toEqual([
      { name: "user-api", key: "user-api:9001", port: 9001, options: "" },
      { name: "user-api", key: "user-api:9002", port: 9002, options: "weight 5 backup ssl" },
    ]);
    expect(of({ admin: { port: 1, labels: { zone: "b" } } })[0]!.labels).toEqual({
      kind: "admin",
      zone: "b",
    });
    expect(of({ admin: { port: 1, check: { host: "127.0.0.1", port: 6666 } } })[0]!.check).toMatchObject({
      host: "127.0.0.1",
      port: 6666,
    });
  });

  it("say nothing of a backend that its service would not take", () => {
    const problems = (services: object) =>
      registrar.problems!(parse(services), host(), inventory).map(({ path, message }) => [
        path.join("."),
        message,
      ]);
    expect(problems({ admin: [{ port: 1 }, { port: 2, labels: { stage: "canary" } }] })).toEqual([
      [
        "services.admin.1.labels",
        `'admin' would not pick it by its labels: it takes those of which kind is "admin", stage is not "canary"`,
      ],
    ]);
    expect(problems({ admin: { port: 1, labels: { kind: "api" } } })).toHaveLength(1);
    expect(problems({ queue: { port: 1, server_options: "ssl" } })).toEqual([
      ["services.queue.server_options", 'no proxy would take it: option "ssl" is not allowed'],
    ]);
    expect(problems({ "user-api": { port: 1, server_options: "ssl maxconn 30" } })).toEqual([]);
  });

  it.each([
    { "user-api": {} },
    { "user-api": [] },
    { "user-api": [{ port: 9001 }, { port: 9001 }] },
    { "user-api": { port: 9000, server_options: "weight 5" } },
    { "user-api": { port: 9000, labels: { a: 1 } } },
    { "user-api": { port: 9000, check: { host: "localhost" } } },
    { "user-api": { port: 0 } },
    { "user-api": { port: 9000, weight: 257 } },
    { "user-api": { port: 9000, check: { http: "health" } } },
    { "user-api": { port: 9000, check: { inter: "10ms" } } },
    { "user-api": { port: 9000, interval: 1 } },
  ])("are refused as %j", (services) => {
    expect(registrar.parameters.safeParse({ services }).success).toBe(false);
  });
});

describe("Nerve's configuration", () => {
  it("is in its own schema, with the weight as Synapse reads it", () => {
    const tcp = {
      ...userApi,
      name: "queue",
      key: "queue",
      path: "/q",
      check: { ...userApi.check, httpPath: undefined },
    };
    const config = JSON.parse(
      renderNerveConfig(desired({ services: [{ ...userApi, weight: 5, options: "weight 5" }, tcp] })),
    );
    expect(config.instance_id).toBe("app-01");
    expect(config.services["user-api"]).toEqual({
      host: "10.0.0.11",
      port: 9000,
      reporter_type: "zookeeper",
      zk_hosts: ["10.0.0.2:2181"],
      zk_path: "/services/user-api",
      check_interval: 1,
      checks: [{ type: "http", uri: "/health", timeout: 1, open_timeout: 1, rise: 2, fall: 3 }],
      weight: 5,
      haproxy_server_options: "weight 5",
    });
    expect(config.services.queue.checks).toEqual([{ type: "tcp", timeout: 1, rise: 2, fall: 3 }]);
    expect(config.services.queue).not.toHaveProperty("weight");
    expect(config.services.queue).not.toHaveProperty("labels");
  });

  it("has an entry for each instance, at one path, with labels, options and where it is checked", () => {
    const check = { ...userApi.check, host: "127.0.0.1", port: 6666 };
    const services = [9001, 9002].map((port) => ({ ...userApi, key: `user-api:${port}`, port, check }));
    const labelled = { ...services[1]!, labels: { kind: "api" }, options: "backup" };
    const config = JSON.parse(renderNerveConfig(desired({ services: [services[0]!, labelled] })));
    expect(Object.keys(config.services)).toEqual(["user-api:9001", "user-api:9002"]);
    expect(config.services["user-api:9002"]).toMatchObject({
      port: 9002,
      zk_path: "/services/user-api",
      labels: { kind: "api" },
      haproxy_server_options: "backup",
      checks: [{ type: "http", host: "127.0.0.1", port: 6666 }],
    });
  });
});
