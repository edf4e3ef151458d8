import type { Mesh, Service } from "../../src/contract/mesh.ts";

/** A service as the seed has it, found in ZooKeeper unless `servers` are given. */
export function service(change: Partial<Service> = {}): Service {
  return {
    name: "user-api",
    mode: "http",
    bind: "127.0.0.1",
    port: 8080,
    discovery:
      change.servers === undefined ? { by: "zookeeper", path: "/services/user-api" } : { by: "inventory" },
    servers: [],
    balance: "roundrobin",
    serverOptionsAllowed: [],
    check: { http: { method: "GET", path: "/health" }, interMs: 2000, rise: 2, fall: 3, failFast: false },
    ...change,
  };
}

export function mesh(services: readonly Service[], proxies: readonly string[] = ["kvm-01"]): Mesh {
  return {
    ensemble: [],
    zookeeper: { clientPort: 2181, quorumPort: 2888, electionPort: 3888 },
    proxies,
    networks: [],
    services,
  };
}
