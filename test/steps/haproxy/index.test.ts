import { describe, expect, it } from "vitest";
import type { HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Mesh } from "../../../src/contract/mesh.ts";
import { haproxy } from "../../../src/steps/haproxy/index.ts";
import { mesh, service } from "../../haproxy/mesh.ts";
import { desired, fixedService, hostFacts } from "./host.ts";

const host: HostView = { name: "kvm-01", address: "10.0.0.2", groups: [], parameters: new Map() };

function inventory(of: Mesh): InventoryView {
  return {
    hosts: new Map([[host.name, host]]),
    groups: new Map(),
    mesh: of,
    network: { proxy: undefined, caCertificates: undefined },
    file: "inventory.yaml",
    allowOs: [],
  };
}

const parameters = haproxy.parameters.parse({});

describe("the haproxy step", () => {
  it("claims its package, every front end's port and two open files a connection", () => {
    const want = desired({ services: [service(), service({ name: "db", port: 3307 })] });
    expect(haproxy.claims(want, hostFacts(want))).toEqual({
      packages: ["haproxy"],
      ports: [
        { port: 8080, address: "127.0.0.1", process: "haproxy", what: "HAProxy's front end of user-api" },
        { port: 3307, address: "127.0.0.1", process: "haproxy", what: "HAProxy's front end of db" },
      ],
      openFiles: [{ count: 18_116, what: "HAProxy's maxconn 9000" }],
    });
  });

  it("writes haproxy.cfg itself unless a watcher follows ZooKeeper on the host", () => {
    const watched = (of: Mesh) => haproxy.desired(parameters, host, inventory(of)).watched;
    expect(watched(mesh([fixedService]))).toBe(false);
    expect(watched(mesh([fixedService, service({ name: "b", port: 8081 })]))).toBe(true);
    expect(watched(mesh([service()], ["kvm-02"]))).toBe(false);
  });

  it("is refused to a host that ZooKeeper's services would not reach", () => {
    const problems = (of: Mesh) => haproxy.problems!(parameters, host, inventory(of));
    expect(problems(mesh([service()]))).toEqual([]);
    expect(problems(mesh([fixedService], ["kvm-02"]))).toEqual([]);
    expect(problems(mesh([service()], ["kvm-02"]))).toMatchObject([{ path: [] }]);
  });
});
