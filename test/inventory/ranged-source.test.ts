import { describe, expect, it } from "vitest";
import { load, problemsOf } from "../playbook/load.ts";

const twenty = `version: 1
hosts:
  kvm-[01:03]:
    address: 10.0.0.[9:11]
    zookeeper: { id: "[1:3]" }
    sysctl: { net.ipv4.tcp_fin_timeout: 15 }
  db-01: { address: 10.0.1.1 }
groups:
  zookeeper:
    - kvm-[01:03]
  proxies: { hosts: ["kvm-[02:03]", db-01], country: DE }
mesh:
  ensemble: zookeeper
  proxies: proxies
`;

describe("a range in an inventory", () => {
  it("is a host for each of its names, with an address and an id of its own", async () => {
    const { inventory } = await load({ files: { "i.yaml": twenty }, inventories: ["i.yaml"] });
    const shown = [...inventory.hosts.values()].map(({ name, address }) => [name, address]);
    expect(shown).toEqual([
      ["kvm-01", "10.0.0.9"],
      ["kvm-02", "10.0.0.10"],
      ["kvm-03", "10.0.0.11"],
      ["db-01", "10.0.1.1"],
    ]);
    expect(inventory.mesh.ensemble.map(({ host, id }) => [host, id])).toEqual([
      ["kvm-01", 1],
      ["kvm-02", 2],
      ["kvm-03", 3],
    ]);
    expect(Object.fromEntries(inventory.groups)).toEqual({
      zookeeper: ["kvm-01", "kvm-02", "kvm-03"],
      proxies: ["kvm-02", "kvm-03", "db-01"],
    });
  });

  it("is merged host by host with what other files say", async () => {
    const more = "version: 1\nhosts:\n  kvm-02: { country: DE }\ngroups:\n  proxies: [kvm-01]\n";
    const inventories = ["i.yaml", "more.yaml"];
    const { inventory } = await load({ files: { "i.yaml": twenty, "more.yaml": more }, inventories });
    expect(inventory.hosts.get("kvm-02")).toMatchObject({ address: "10.0.0.10", country: { code: "DE" } });
    expect(inventory.groups.get("proxies")).toEqual(["kvm-01", "kvm-02", "kvm-03", "db-01"]);
  });

  const hosts = (text: string) => `version: 1\nhosts:\n${text}`;
  it.each([
    [
      "a mistake once, where it stands",
      hosts('  kvm-[1:3]: { adress: "10.0.0.[1:3]" }\n'),
      ["i.yaml:3:16 hosts.\"kvm-[1:3]\".adress: unknown key; did you mean 'address'?"],
    ],
    [
      "brackets that YAML takes for a list",
      hosts("  kvm-[1:3]: { address: 10.0.0.[1:3], country: DE }\n"),
      ["i.yaml:3:32: a bracket within braces begins a list of YAML's"],
    ],
    [
      "another number of addresses",
      hosts('  kvm-[1:3]: { address: "10.0.0.[1:2]" }\n'),
      ['i.yaml:3:25 hosts."kvm-[1:3]".address: expected as many as kvm-[1:3] has hosts, 3, found 2'],
    ],
    [
      "one address for all",
      hosts("  kvm-[1:2]: { address: 10.0.0.1 }\n"),
      ["i.yaml:3:25 hosts.\"kvm-[1:2]\".address: 10.0.0.1 is the address of 'kvm-1' already (line 3)"],
    ],
    [
      "a host that a range has already",
      hosts('  kvm-[1:2]: { address: "10.0.0.[1:2]" }\n  kvm-2: { address: 10.0.0.3 }\n'),
      ["i.yaml:4:3 hosts.kvm-2: 'kvm-2' is a host already (line 3, kvm-[1:2])"],
    ],
    [
      "a range that goes down",
      hosts("  kvm-[3:1]: { address: 10.0.0.1 }\n"),
      [expect.stringMatching(/^i\.yaml:3:3 hosts\."?kvm-\[3:1\]"?: expected a name of/)],
    ],
    [
      "a range of more hosts than there may be",
      hosts("  a[1:9999]b[1:9999]: { address: 10.0.0.1 }\n"),
      [expect.stringMatching(/^i\.yaml:3:3 hosts\.\S+: expected a name of/)],
    ],
    [
      "members that are no hosts",
      hosts(
        "  kvm-1: { address: 10.0.0.1 }\ngroups:\n  zookeeper: [kvm-1]\n  proxies:\n    - kvm-[1:3]\n    - kvm-9\n",
      ),
      [
        "i.yaml:7:7 groups.proxies[0]: no host or group is named 'kvm-2'",
        "i.yaml:8:7 groups.proxies[1]: no host or group is named 'kvm-9'",
      ],
    ],
  ])("tells %s", async (_, text, expected) => {
    expect(await problemsOf({ files: { "i.yaml": text }, inventories: ["i.yaml"] })).toEqual(expected);
  });
});
