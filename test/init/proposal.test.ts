import { describe, expect, it } from "vitest";
import type { Claims } from "../../src/contract/claims.ts";
import type { HostFacts } from "../../src/contract/host.ts";
import { findings } from "../../src/init/findings.ts";
import { inventoryText } from "../../src/init/inventory-text.ts";
import type { LookedHost, Seen } from "../../src/init/looked-host.ts";
import { meshAddress } from "../../src/init/mesh-address.ts";
import { ensembleProblem, ensembleSize, proposalFor } from "../../src/init/proposal.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { steps } from "../../src/steps/registry.ts";

const GIB = 2 ** 30;
const bare: Seen = {
  system: "Debian GNU/Linux 12 (bookworm)",
  supported: true,
  virtualization: "kvm",
  cpus: 2,
  memoryBytes: 4 * GIB,
  hardOpenFiles: 1_048_576,
  flush: { ms: 1.23 },
  listeners: [{ address: "0.0.0.0", port: 22, process: "sshd" }],
  database: undefined,
  haproxy: false,
  zookeeper: false,
};

function host(number: number, seen: Partial<Seen> | { because: string } | undefined = {}): LookedHost {
  const name = `kvm-0${number}`;
  return {
    name,
    ssh: { host: `10.0.0.${number}` },
    address: `10.0.0.${number}`,
    from: "--hosts",
    seen:
      seen === undefined || "because" in seen
        ? (seen as { because: string } | undefined)
        : { ...bare, ...seen },
  };
}

const hosts = (count: number, seen: Partial<Seen> = {}) =>
  Array.from({ length: count }, (_, at) => host(at + 1, seen));
const listening = (port: number, process: string) => ({ listeners: [{ address: "0.0.0.0", port, process }] });
const none = new Map<string, readonly string[]>();

describe("an ensemble", () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 3],
    [4, 3],
    [5, 5],
    [40, 5],
  ])("of %i hosts has %i members", (count, members) => {
    expect(ensembleSize(count)).toBe(members);
    expect(proposalFor(hosts(count), none).ensemble).toHaveLength(members);
  });

  it.each<[string, readonly LookedHost[], readonly string[]]>([
    [
      "keeps the members that are there",
      [...hosts(2), ...[3, 4, 5].map((n) => host(n, { zookeeper: true }))],
      ["kvm-03", "kvm-04", "kvm-05"],
    ],
    [
      "keeps off databases",
      [host(1, { database: "MySQL" }), ...[2, 3, 4].map((n) => host(n))],
      ["kvm-02", "kvm-03", "kvm-04"],
    ],
    [
      "keeps off slow disks",
      [host(1, { flush: { ms: 80 } }), ...[2, 3, 4].map((n) => host(n))],
      ["kvm-02", "kvm-03", "kvm-04"],
    ],
    [
      "keeps off hosts that did not answer",
      [host(1, { because: "connect" }), ...[2, 3, 4].map((n) => host(n))],
      ["kvm-02", "kvm-03", "kvm-04"],
    ],
  ])("%s", (_, all, members) => {
    expect(proposalFor(all, none).ensemble).toEqual(members);
  });

  it("is a group of that name first, as far as it is odd", () => {
    const named = new Map([["zookeeper", ["kvm-02", "kvm-03", "kvm-04", "kvm-05"]]]);
    expect(proposalFor(hosts(5), named).ensemble).toEqual(["kvm-02", "kvm-03", "kvm-04"]);
  });

  it.each([
    [[], "an ensemble has at least one member"],
    [["a", "b"], "2 members bear no more losses than 1: choose an odd number, 1, 3 or 5"],
    [["a", "b", "c"], undefined],
  ])("of %j is judged", (members, problem) => {
    expect(ensembleProblem(members)).toBe(problem);
  });
});

describe("ports", () => {
  it.each([
    ["are the usual ones", {}, 2181, 8080],
    [
      "make way for what listens there",
      { listeners: [...listening(2181, "etcd").listeners, ...listening(8080, "nginx").listeners] },
      2182,
      8081,
    ],
    [
      "stay where their own service listens",
      { listeners: [...listening(2181, "java").listeners, ...listening(8080, "haproxy").listeners] },
      2181,
      8080,
    ],
  ])("%s", (_, seen, client, service) => {
    const proposal = proposalFor(hosts(3, seen), none, { services: ["a", "b"] });
    expect([proposal.ports.client, proposal.services.map(({ port }) => port)]).toEqual([
      client,
      [service, service + 1],
    ]);
    expect(proposal.nextPort).toBe(service + 2);
  });
});

/** Bytes that the steps claim of each host, and what preflight keeps for the system. */
async function claimed(all: readonly LookedHost[], text: string) {
  const { inventory, job } = await loadFiles(
    { inventoryFile: { file: "i.yaml", text }, playbookFile: "playbooks/site.yaml" },
    steps,
  );
  const of = new Map(all.map(({ name }) => [name, 256 * 2 ** 20]));
  for (const { steps: its, hosts: names } of job.plays)
    for (const { step, parameters } of its)
      for (const name of names) {
        const { seen } = all.find((each) => each.name === name)!;
        const packages = new Map((seen as Seen).database === undefined ? [] : [["mariadb-server", "1"]]);
        const facts = {
          ...(seen as Seen),
          packages,
          os: { id: "debian", versionId: "12" },
        } as unknown as HostFacts;
        if (step.name === "preflight") continue;
        const desired = step.desired(parameters.get(name), inventory.hosts.get(name)!, inventory);
        const claims: Claims =
          step.name === "watcher" || step.name === "registrar"
            ? {}
            : (step.claims?.(desired, facts, undefined) ?? {});
        for (const { bytes } of claims.memory ?? []) of.set(name, of.get(name)! + bytes);
      }
  return of;
}

describe("sizes", () => {
  it.each<[string, readonly LookedHost[]]>([
    ["three small hosts", hosts(3, { memoryBytes: 1 * GIB })],
    ["three hosts of 2 GiB", hosts(3, { memoryBytes: 2 * GIB })],
    ["one host for everything", [host(1, { memoryBytes: 2 * GIB, database: "MariaDB" })]],
    ["a database beside the mesh", [...hosts(3), host(4, { memoryBytes: 8 * GIB, database: "MariaDB" })]],
    ["a small database", [...hosts(3), host(4, { memoryBytes: GIB, database: "MariaDB" })]],
  ])("of %s fit", async (_, all) => {
    const text = inventoryText({
      hosts: all,
      groups: none,
      proposal: proposalFor(all, none),
      from: "a test",
    });
    const bytes = await claimed(all, text);
    for (const { name, seen } of all) expect(bytes.get(name)).toBeLessThanOrEqual((seen as Seen).memoryBytes);
  });

  it("are the defaults where these fit", () => {
    const proposal = proposalFor([...hosts(3), host(4, { memoryBytes: 64 * GIB, database: "MySQL" })], none);
    expect(proposal).toMatchObject({
      heapBytes: undefined,
      maxconn: undefined,
      pool: { percent: 75 },
      logFileBytes: undefined,
    });
  });

  it("go by the limit of open files", () => {
    expect(proposalFor(hosts(1, { hardOpenFiles: 20_000 }), none).maxconn).toBe(9_900);
  });
});

describe("the inventory that is written", () => {
  const write = (all: readonly LookedHost[], groups = none, services: readonly string[] = []) =>
    inventoryText({
      hosts: all,
      groups,
      proposal: proposalFor(all, groups, { services }),
      from: "a test\nmesh: {}",
    });
  const valid = (text: string) =>
    loadFiles({ inventoryFile: { file: "i.yaml", text }, playbookFile: "playbooks/site.yaml" }, steps);

  it.each<[string, string]>([
    ["bare hosts", write(hosts(3))],
    ["a service", write(hosts(3), none, ["user-api", "no"])],
    ["ports that are taken", write(hosts(3, listening(2181, "etcd")))],
    ["a database", write([...hosts(2), host(3, { database: "MySQL" })])],
    [
      "another machine and release",
      write(hosts(2, { virtualization: "lxc", supported: { allow: "ubuntu 24.04" } })),
    ],
    [
      "hosts that nobody looked at",
      write([host(1, undefined), host(2, { because: 'connect: "no"\n# x: y' })]),
    ],
    [
      "groups with names of its own",
      write(
        hosts(2),
        new Map([
          ["Backends", ["kvm-01"]],
          ["kvm-01", ["kvm-02"]],
          ["_x y", ["kvm-02"]],
        ]),
      ),
    ],
    [
      "names that YAML takes for something else",
      write([
        { ...host(1), name: "1e3" },
        { ...host(2), name: "no" },
        { ...host(3), name: "0x1f", ssh: { host: "fd00::1", user: "null", identityFile: "~/a key" } },
      ]),
    ],
  ])("is valid with %s", async (_, text) => {
    const { inventory } = await valid(text);
    expect(inventory.mesh.ensemble.length).toBeGreaterThan(0);
  });

  it("says what was found, and gives no id to an ensemble that has some", () => {
    const text = write([...hosts(2), host(3, { zookeeper: true })]);
    expect(text).toContain(
      "  # Debian GNU/Linux 12 (bookworm), KVM, 2 CPUs, 4.0 GiB, a flush takes 1.2 ms, ports in use: 22 sshd\n  kvm-01: { address: 10.0.0.1 }",
    );
    expect(write(hosts(3))).toContain("kvm-02: { address: 10.0.0.2, zookeeper: { id: 2 } }");
  });
});

describe("what was found", () => {
  it("is told once of hosts that are alike", () => {
    expect(
      findings([
        ...hosts(2),
        host(3, { flush: { because: "no room" }, listeners: [], haproxy: true, database: "MariaDB" }),
        host(4, { because: "connect" }),
      ]),
    ).toEqual([
      "kvm-01, kvm-02: Debian GNU/Linux 12 (bookworm), KVM, 2 CPUs, 4.0 GiB, a flush takes 1.2 ms, ports in use: 22 sshd",
      "kvm-03: Debian GNU/Linux 12 (bookworm), KVM, 2 CPUs, 4.0 GiB, disk unknown (no room), has MariaDB, HAProxy, no port in use",
      "kvm-04: not looked at: connect",
    ]);
  });
});

describe("a mesh address", () => {
  it.each<[string | undefined, readonly string[] | undefined, string | undefined]>([
    ["10.0.0.2", undefined, "10.0.0.2"],
    ["127.0.0.1", undefined, undefined],
    [undefined, undefined, undefined],
    ["192.0.2.7", ["127.0.0.1", "10.0.0.2"], "10.0.0.2"],
    ["192.0.2.7", ["127.0.0.1", "192.0.2.7", "10.0.0.2"], "192.0.2.7"],
    [undefined, ["127.0.0.1", "172.17.0.1", "192.0.2.7"], "192.0.2.7"],
    [undefined, ["::1", "fe80::1", "fd00::7"], "fd00::7"],
  ])("of one told as %s, with %j, is %s", (told, own, address) => {
    expect(meshAddress(told, own)).toBe(address);
  });
});
