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
      { name: "user-api", path: "/services/user-api", check: { http: { method: "HEAD", path: "/up" } } },
      { name: "queue", path: "/services/queue", check: { http: undefined } },
      { name: "fixed", path: undefined, check: { http: undefined } },
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
    expect(problems({ "user-api": { port: 9000 } }, "10.1.0.1")[0]!.message).toBe(
      "no proxy would take 10.1.0.1, which is in none of mesh.networks (10.0.0.0/16, fd00::/64)",
    );
    expect(problems({ queue: { port: 9000 } }, "fd00::1")[0]!.message).toContain("knows no IPv6");
  });

  it.each([
    { "user-api": {} },
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
    const tcp = { ...userApi, name: "queue", path: "/q", check: { ...userApi.check, httpPath: undefined } };
    const config = JSON.parse(renderNerveConfig(desired({ services: [{ ...userApi, weight: 5 }, tcp] })));
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
  });
});
