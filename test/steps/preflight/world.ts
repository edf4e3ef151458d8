import { expect } from "vitest";
import type { Claims } from "../../../src/contract/claims.ts";
import type { HostFacts } from "../../../src/contract/host.ts";
import type { HostName, HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Mesh } from "../../../src/contract/mesh.ts";
import type { Evidence } from "../../../src/contract/reading.ts";
import type { Fleet } from "../../../src/contract/step.ts";
import { bootPlan } from "../../../src/daemon/boot.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import type { PreflightDesired } from "../../../src/steps/preflight/desired.ts";
import type { PreflightFacts } from "../../../src/steps/preflight/facts.ts";
import { preflight } from "../../../src/steps/preflight/index.ts";

export const MIB = 2 ** 20;

const member = (host: string, address: string, id: number) => ({ host, address, id });

const mesh = (members: number): Mesh => ({
  ensemble: [
    member("kvm-01", "10.0.0.1", 1),
    member("kvm-02", "10.0.0.2", 2),
    member("kvm-03", "10.0.0.3", 3),
    member("kvm-04", "10.0.0.4", 4),
  ].slice(0, members),
  zookeeper: { clientPort: 2181, quorumPort: 2888, electionPort: 3888 },
  proxies: ["kvm-01"],
  networks: [],
  services: [],
});

export interface World {
  readonly name?: HostName;
  readonly address?: string;
  readonly country?: HostView["country"];
  readonly parameters?: object;
  readonly haproxy?: { maxconn: number };
  readonly allowOs?: readonly string[];
  readonly members?: number;
  readonly host?: Partial<HostFacts>;
  readonly facts?: Partial<PreflightFacts>;
  readonly claims?: Readonly<Record<string, Claims>>;
  /** Skew and uncertainty of other hosts, in milliseconds; undefined when it could not be seen. */
  readonly peers?: Readonly<Record<string, readonly [number, number] | undefined>>;
}

export const bookworm: HostFacts["os"] = {
  id: "debian",
  versionId: "12",
  codename: "bookworm",
  prettyName: "Debian GNU/Linux 12 (bookworm)",
};

const baseFacts: PreflightFacts = {
  directories: [
    { path: "/etc", writable: true },
    { path: "/usr", writable: true },
  ],
  space: [
    { path: "/usr", freeBytes: 4096 * MIB, freeInodes: 1_000_000 },
    { path: "/var", freeBytes: 2048 * MIB, freeInodes: 500_000 },
  ],
  localPortRange: { first: 32768, last: 60999 },
  reservedPorts: [],
  boot: bootPlan([
    ["multi-user.target", "", "", "", ""],
    ["chrony.service", "multi-user.target", "running", "chronyd", ""],
  ]),
  bootLines: [],
  flush: { from: "measured", directory: "/var/lib", milliseconds: [0.5, 2, 1] },
  roundTrips: new Map(
    ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map((address) => [
      address,
      { microseconds: [900, 400, 300], failure: "" },
    ]),
  ),
};

const baseHost = {
  os: bookworm,
  virtualization: "kvm",
  memoryBytes: 2048 * MIB,
  clock: { skewMs: 5, uncertaintyMs: 10 },
  hardOpenFiles: 524_288,
  addresses: ["127.0.0.1", "::1", "10.0.0.1", "fe80::1"],
  listeners: [{ address: "0.0.0.0", port: 22, process: "sshd" }],
} as unknown as HostFacts;

/** The rows of one host, by setting, with their verdicts. Unless told otherwise it is fit. */
export function rowsOf(world: World = {}): ReadonlyMap<string, Evidence> {
  const name = world.name ?? "kvm-01";
  const view: HostView = {
    name,
    address: world.address ?? "10.0.0.1",
    groups: [],
    country: world.country,
    parameters: new Map(world.haproxy === undefined ? [] : [["haproxy", world.haproxy]]),
  };
  const inventory: InventoryView = {
    hosts: new Map([[name, view]]),
    groups: new Map(),
    mesh: mesh(world.members ?? 3),
    network: { proxy: undefined, caCertificates: undefined },
    file: "inventory.yaml",
    allowOs: world.allowOs ?? [],
  };
  const desired = preflight.desired(preflight.parameters.parse(world.parameters ?? {}), view, inventory);
  const host = { ...baseHost, ...world.host };
  const facts = { ...baseFacts, ...world.facts };
  const fleet = new Map([
    [name, { is: "seen" as const, desired, facts, host }],
    ...Object.entries(world.peers ?? {}).map(([peer, clock]) => [
      peer,
      clock === undefined
        ? { is: "unseen" as const, desired, because: "no route to host" }
        : {
            is: "seen" as const,
            desired,
            facts,
            host: { ...baseHost, clock: { skewMs: clock[0], uncertaintyMs: clock[1] } },
          },
    ]),
  ] as [HostName, unknown][]) as Fleet<PreflightDesired, PreflightFacts>;
  const claims = new Map(Object.entries(world.claims ?? {}));
  const { readings, changes } = preflight.assess({ name, desired, facts, host, claims }, fleet);
  expect(changes).toEqual([]);
  return new Map(readings.map((reading) => [reading.setting, judge(reading)]));
}
