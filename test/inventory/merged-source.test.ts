import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inventoryFiles } from "../../src/cli/options.ts";
import { load, problemsOf } from "../playbook/load.ts";

const a = `version: 1
ssh: { user: ops, identity_file: keys/id }
hosts:
  kvm-01: { address: 10.0.0.1, zookeeper: { id: 1 } }
  kvm-02: { address: 10.0.0.2 }
groups:
  zookeeper: [kvm-01]
  proxies: { hosts: [kvm-01, kvm-02], sysctl: { net.ipv4.tcp_fin_timeout: 15 } }
mesh:
  ensemble: zookeeper
  proxies: proxies
  services:
    user-api: { path: /user-api, port: 8080 }
allow_os: [sid]
`;

/** Both files, of which b is given. */
const two = (b: string, environment: NodeJS.ProcessEnv = {}) => ({
  files: { "a.yaml": a, "b.yaml": b },
  inventories: ["a.yaml", "b.yaml"],
  environment,
});
const problems = (b: string, environment?: NodeJS.ProcessEnv) => problemsOf(two(b, environment));

describe("several inventories", () => {
  it("are one: hosts, members of groups, services and settings of all", async () => {
    const { inventory } = await load(
      two(`version: 1
hosts:
  kvm-03: { address: 10.0.0.3, ssh: { known_hosts: hosts } }
  kvm-02: { country: DE }
groups:
  proxies: [kvm-03, kvm-01]
  zookeeper: { hosts: [kvm-02], country: DE }
  new: [proxies]
mesh:
  proxies: proxies
  services:
    order-api: { path: /order-api, port: 8081 }
`),
    );
    expect([...inventory.hosts.keys()]).toEqual(["kvm-01", "kvm-02", "kvm-03"]);
    expect(Object.fromEntries(inventory.groups)).toEqual({
      zookeeper: ["kvm-01", "kvm-02"],
      proxies: ["kvm-01", "kvm-02", "kvm-03"],
      new: ["kvm-01", "kvm-02", "kvm-03"],
    });
    expect(inventory.mesh.services.map(({ name }) => name)).toEqual(["user-api", "order-api"]);
    expect(inventory.mesh.ensemble.map(({ host }) => host)).toEqual(["kvm-01", "kvm-02"]);
    expect(inventory.hosts.get("kvm-02")?.country?.source).toMatch(/b\.yaml:4$/);
  });

  it("name files beside the one that names them", async () => {
    const sub = mkdtempSync(join(tmpdir(), "meshctl-merged-"));
    try {
      writeFileSync(
        join(sub, "c.yaml"),
        "version: 1\nhosts: { c: { address: 10.0.0.9, ssh: { known_hosts: hosts } } }\n",
      );
      const { inventory } = await load({
        files: { "a.yaml": a },
        inventories: ["a.yaml", `../${sub.split("/").at(-1)}/c.yaml`],
      });
      const { identityFiles, knownHostsFiles } = inventory.hosts.get("c")!.ssh;
      expect(knownHostsFiles).toEqual([join(sub, "hosts")]);
      expect(identityFiles).toEqual([expect.stringMatching(/meshctl-files-\w+\/keys\/id$/)]);
    } finally {
      rmSync(sub, { recursive: true });
    }
  });

  it("may say one thing twice with one value", async () => {
    const same = "version: 1\nssh: { user: ops }\nhosts: { kvm-01: { address: 10.0.0.1 } }\ngroups:\n";
    expect(await problems(same)).toEqual([]);
    const secret = (name: string) => `version: 1\nssh: { password: !env ${name} }\n`;
    const both = (one: string, other: string) =>
      problemsOf({
        files: { "a.yaml": `${secret(one)}hosts: { h: { address: 10.0.0.1 } }\n`, "b.yaml": secret(other) },
        inventories: ["a.yaml", "b.yaml"],
        environment: { A: "first-password", B: "first-password", C: "other-password" },
      });
    expect(await both("A", "B")).toEqual([]);
    expect(await both("A", "C")).toEqual(["b.yaml:2:18 ssh.password: is not the same as at a.yaml:2:18"]);
  });

  it.each([
    [
      "another address",
      "version: 1\nhosts:\n  kvm-01:\n    address: 10.0.0.7\n",
      ["b.yaml:4:14 hosts.kvm-01.address: is '10.0.0.7' here, and '10.0.0.1' at a.yaml:4:22"],
    ],
    [
      "another port of a service",
      "version: 1\nmesh: { services: { user-api: { port: 8081 } } }\n",
      ["b.yaml:2:39 mesh.services.user-api.port: is 8081 here, and 8080 at a.yaml:13:40"],
    ],
    [
      "another parameter of a group",
      "version: 1\ngroups: { proxies: { sysctl: { net.ipv4.tcp_fin_timeout: 20 } } }\n",
      ['b.yaml:2:58 groups.proxies.sysctl."net.ipv4.tcp_fin_timeout": is 20 here, and 15 at a.yaml:8:75'],
    ],
    [
      "a kind that does not fit",
      "version: 1\nhosts: [kvm-03]\n",
      ["b.yaml:2:8 hosts: is a list here, and a map at a.yaml:3:1"],
    ],
    [
      "a list that differs",
      "version: 1\nallow_os: [forky]\n",
      ["b.yaml:2:11 allow_os: is not the same as at a.yaml:14:11"],
    ],
    [
      "an address of a host in the other file",
      "version: 1\nhosts:\n  kvm-09: { address: 10.0.0.2 }\n",
      ["b.yaml:3:22 hosts.kvm-09.address: 10.0.0.2 is the address of 'kvm-02' already (a.yaml:5:13)"],
    ],
    [
      "a member that nobody knows",
      "version: 1\ngroups: { zookeeper: [kvm-1] }\n",
      ["b.yaml:2:23 groups.zookeeper[1]: no host or group is named 'kvm-1'; did you mean 'kvm-01'?"],
    ],
    [
      "an unknown key",
      "version: 1\nhosts: { kvm-02: { adress: 10.0.0.2 } }\n",
      ["b.yaml:2:20 hosts.kvm-02.adress: unknown key; did you mean 'address'?"],
    ],
    [
      "no version",
      "hosts: { kvm-03: { address: 10.0.0.3 } }\n",
      ["b.yaml:1:1 version: expected 1, found nothing"],
    ],
    ["nothing", "", ["b.yaml:1:1: expected a map, found an empty value"]],
    ["no YAML", "version: [1\n", [expect.stringMatching(/^b\.yaml:\d+:\d+: /)]],
  ])("are told by file, line and column when one has %s", async (_, b, expected) => {
    expect(await problems(b)).toEqual(expected);
  });
});

describe("a folder of inventories", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "meshctl-folder-"));
    for (const name of ["b.yml", "a.yaml", ".hidden.yaml", "a.yaml~", "README.md"])
      writeFileSync(join(folder, name), "version: 1\n");
    mkdirSync(join(folder, "empty"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is its YAML files by name, and each file counts once", () => {
    const [a, b] = ["a.yaml", "b.yml"].map((name) => join(folder, name));
    expect(inventoryFiles([folder, a!, "-"])).toEqual([a, b, "-"]);
    expect(() => inventoryFiles([join(folder, "empty")])).toThrow(/empty: holds no file that ends in/);
  });
});
