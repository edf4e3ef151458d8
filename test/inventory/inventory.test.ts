import { existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/secret.ts";
import { load, problemsOf } from "../playbook/load.ts";

const hosts = `version: 1
hosts:
  b: { address: 10.0.0.2, zookeeper: { id: 7 } }
  a: { address: 10.0.0.1, ssh: { host: a.mgmt.example, user: admin } }
`;

describe("an inventory", () => {
  it("keeps the file's order, and gives groups in groups their hosts", async () => {
    const { inventory } = await load({
      inventory: `${hosts}groups:\n  2: [inner]\n  inner: [a, b]\n  1: [a]\n`,
    });
    expect([...inventory.hosts.keys()]).toEqual(["b", "a"]);
    expect([...inventory.groups]).toEqual([
      ["2", ["b", "a"]],
      ["inner", ["b", "a"]],
      ["1", ["a"]],
    ]);
    expect(inventory.hosts.get("a")?.groups).toEqual(["2", "inner", "1"]);
  });

  it("lets a host override how it is reached, key by key", async () => {
    const ssh = "ssh: { user: ops, port: 2222, identity_file: [~/.ssh/id, /etc/id], connect_timeout: 3s }\n";
    const { inventory } = await load({ inventory: hosts + ssh });
    expect(inventory.hosts.get("a")?.ssh).toMatchObject({
      host: "a.mgmt.example",
      user: "admin",
      port: 2222,
      identityFiles: [`${homedir()}/.ssh/id`, "/etc/id"],
      knownHostsFiles: undefined,
      hostKeys: undefined,
      privilege: "auto",
      connectTimeoutMs: 3000,
    });
    expect(inventory.hosts.get("b")?.ssh).toMatchObject({ host: "10.0.0.2", user: "ops" });
  });

  it("takes secrets from the environment and from files beside it, and hides them", async () => {
    const { inventory } = await load({
      inventory: `${hosts}ssh: { password: !env PW, sudo_password: !file sudo }\nnetwork: { proxy: !env PROXY }\n`,
      environment: { PW: "from-environment", PROXY: "http://user:pass@proxy:3128" },
      files: { sudo: "from-file\n" },
    });
    const ssh = inventory.hosts.get("a")?.ssh;
    expect(ssh?.password?.reveal()).toBe("from-environment");
    expect(ssh?.sudoPassword?.reveal()).toBe("from-file");
    expect(inventory.network.proxy?.reveal()).toBe("http://user:pass@proxy:3128");
    expect(JSON.stringify(ssh)).not.toContain("from-");
  });

  it("is checked without what references name: nothing is run and nothing read", async () => {
    const mark = join(tmpdir(), `meshctl-ran-${process.pid}`);
    const command = `!command [touch, ${mark}]`;
    const { inventory } = await load({
      inventory:
        `${hosts}ssh: { password: ${command}, sudo_password: !file /no/such, user: !env NOT_SET }\n` +
        `network: { proxy: ${command} }\n`,
      noReferences: true,
    });
    expect(existsSync(mark)).toBe(false);
    expect(inventory.hosts.get("b")?.ssh.password).toBeInstanceOf(Secret);
    // What is wrong with how they are written is told all the same, and with the rest of the files.
    const problems = await problemsOf({
      inventory: `${hosts}ssh: { password: !env [A], passphrase: !command "a; b", port: !env P, connect_timeout: x }\n`,
      noReferences: true,
    });
    expect(problems).toHaveLength(4);
    expect(problems.join("\n")).toMatch(/port.*found the value of !env P/);
  });

  it("takes any other text by reference too", async () => {
    const { inventory } = await load({
      inventory: `${hosts}ssh: { user: !env LOGIN }\nallow_os: [sid]\n`,
      environment: { LOGIN: "ops" },
    });
    expect(inventory.hosts.get("b")?.ssh.user).toBe("ops");
    expect(inventory.allowOs).toEqual(["sid"]);
  });

  it("takes a proxy without a password in plain text, and reads the certificates", async () => {
    const pem = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
    const { inventory } = await load({
      inventory: `${hosts}network: { proxy: http://10.0.0.9:3142, ca_file: ca.pem }\n`,
      files: { "ca.pem": pem },
    });
    expect(inventory.network.proxy?.reveal()).toBe("http://10.0.0.9:3142");
    expect(inventory.network.caCertificates).toBe(pem);
  });

  it("takes ZooKeeper's account by reference", async () => {
    const { inventory } = await load({
      inventory: `${hosts}groups: { zk: [a] }
mesh: { ensemble: zk, zookeeper: { auth: { password: !file zk } } }
`,
      files: { zk: "sixteen-letters-" },
    });
    const { auth } = inventory.mesh.zookeeper;
    expect(auth?.user).toBe("meshctl");
    expect(auth?.password.reveal()).toBe("sixteen-letters-");
    expect(JSON.stringify(inventory.mesh)).not.toContain("sixteen");
  });

  it("fills a service with the defaults, and keeps its own words", async () => {
    const { inventory } = await load({
      inventory: `${hosts}groups: { zk: [a, b] }
mesh:
  ensemble: zk
  proxies: zk
  zookeeper: { client_port: 2182 }
  services:
    user-api: { path: /services/user-api, port: 8080 }
    db:
      servers: [{ host: 10.0.0.9, port: 3306 }, { name: second, host: db2.example, port: 3306 }]
      port: 3306
      bind: 10.1.1.1
      mode: tcp
      balance: leastconn
      check: { inter: 1s, rise: 1, fall: 5 }
    plain: { path: /plain, port: 8081, mode: tcp, check: { http: false }, server_options_allowed: [ssl, verify none] }
  networks: [10.0.0.0/16, "2001:db8::/32"]
`,
    });
    expect(inventory.mesh.ensemble).toEqual([
      { host: "b", address: "10.0.0.2", id: 7 },
      { host: "a", address: "10.0.0.1", id: undefined },
    ]);
    expect(inventory.mesh.zookeeper).toEqual({ clientPort: 2182, quorumPort: 2888, electionPort: 3888 });
    expect(inventory.mesh.proxies).toEqual(["b", "a"]);
    expect(inventory.mesh.networks).toEqual(["10.0.0.0/16", "2001:db8::/32"]);
    expect(inventory.mesh.services).toEqual([
      {
        name: "user-api",
        mode: "http",
        bind: "127.0.0.1",
        port: 8080,
        discovery: { by: "zookeeper", path: "/services/user-api" },
        servers: [],
        balance: "roundrobin",
        panicPercent: 50,
        serverOptionsAllowed: [],
        check: { http: { method: "GET", path: "/health" }, interMs: 2000, rise: 2, fall: 3, failFast: true },
      },
      {
        name: "db",
        mode: "tcp",
        bind: "10.1.1.1",
        port: 3306,
        discovery: { by: "inventory" },
        servers: [
          { name: "10.0.0.9_3306", host: "10.0.0.9", port: 3306 },
          { name: "second", host: "db2.example", port: 3306 },
        ],
        balance: "leastconn",
        panicPercent: 50,
        serverOptionsAllowed: [],
        check: { http: undefined, interMs: 1000, rise: 1, fall: 5, failFast: true },
      },
      expect.objectContaining({
        name: "plain",
        serverOptionsAllowed: ["ssl", "verify none"],
        check: { http: undefined, interMs: 2000, rise: 2, fall: 3, failFast: true },
      }),
    ]);
  });

  it("takes services in Synapse's own form, as if they were written in meshctl's", async () => {
    const [synapses, ours] = await Promise.all(
      [
        `service_watcher:
    user-api:
      discovery: { method: zookeeper, path: /services/user-api, hosts: ["10.0.0.1:2181"] }
      default_servers: [{ name: one, host: 10.0.0.9, port: 80 }]
      haproxy:
        port: 8080
        server_options: "check inter 2s rise 2 fall 5"
        listen: [mode http, option httpchk GET /health, balance leastconn, option httplog]
    mail:
      discovery: { method: base }
      default_servers: [{ host: 10.0.0.9, port: 25 }]
      haproxy: { port: 2525, bind_address: localhost, backend: [mode tcp] }
    shop:
      discovery: { method: dns, servers: [{ name: a, host: shop.example, port: 80 }, { host: shop2.example, port: 81 }], nameserver: 10.0.0.53, check_interval: 2.5 }
      haproxy: { port: 8081, listen: [mode http] }
    slow: { discovery: { method: dns, servers: [{ host: slow.example, port: 80 }] }, haproxy: { port: 8082, listen: [mode http] } }
`,
        `services:
    user-api:
      path: /services/user-api
      servers: [{ name: one, host: 10.0.0.9, port: 80 }]
      port: 8080
      balance: leastconn
      check: { http: GET /health, inter: 2000, rise: 2, fall: 5 }
      fail_fast: false
      panic_threshold: 0
    mail: { servers: [{ host: 10.0.0.9, port: 25 }], port: 2525, mode: tcp, check: false, panic_threshold: 0 }
    shop:
      dns: { names: [Shop.example, "shop2.example:81"], port: 80, nameserver: 10.0.0.53, interval: 2500ms }
      port: 8081
      mode: http
      check: false
      panic_threshold: 0
    slow: { dns: { names: [slow.example], port: 80, interval: 30s }, port: 8082, mode: http, check: false, panic_threshold: 0 }
`,
      ].map((services) =>
        load({
          inventory: `${hosts}groups: { zk: [a] }\nmesh:\n  ensemble: zk\n  proxies: zk\n  ${services}`,
        }),
      ),
    );
    expect(synapses!.inventory.mesh).toEqual(ours!.inventory.mesh);
    expect(ours!.inventory.mesh.services).toHaveLength(4);
    expect(ours!.inventory.mesh.services[2]!.discovery).toEqual({
      by: "dns",
      names: [
        { host: "shop.example", port: 80 },
        { host: "shop2.example", port: 81 },
      ],
      nameserver: "10.0.0.53",
      intervalMs: 2500,
    });
  });

  it("keeps the checks that Synapse's form has, and fails fast there only where the mesh says so aloud", async () => {
    const checks = async (mesh: string) => {
      const { inventory } = await load({
        inventory: `${hosts}groups: { zk: [a] }
mesh:
  ${mesh}
  ensemble: zk
  proxies: zk
  service_watcher:
    slow:
      discovery: { method: zookeeper, path: /slow }
      haproxy: { port: 1, server_options: check inter 600s rise 2 fall 10, listen: [mode tcp] }
    none:
      discovery: { method: zookeeper, path: /none }
      haproxy: { port: 2, listen: [option httplog] }
`,
      });
      return inventory.mesh.services.map(({ mode, check }) => ({ mode, ...check }));
    };
    const slow = { mode: "tcp", http: undefined, interMs: 600_000, rise: 2, fall: 10 };
    const none = {
      mode: "http",
      http: undefined,
      interMs: 2000,
      rise: 2,
      fall: 3,
      off: true,
      failFast: false,
    };
    expect(await checks("networks: [10.0.0.0/16]")).toEqual([{ ...slow, failFast: false }, none]);
    expect(await checks("fail_fast: true")).toEqual([{ ...slow, failFast: true }, none]);
  });

  it("has services on one port of addresses that are not each other's", async () => {
    const { inventory } = await load({
      inventory: `${hosts}groups: { zk: [a] }
mesh:
  ensemble: zk
  proxies: zk
  services:
    x: { path: /x, port: 8443, bind: 127.0.0.2 }
    y: { path: /y, port: 8443, bind: 127.0.0.3 }
    z: { path: /z, port: 8443, bind: "::1" }
`,
    });
    expect(inventory.mesh.services.map(({ bind }) => bind)).toEqual(["127.0.0.2", "127.0.0.3", "::1"]);
  });

  it("fails fast unless the mesh, or a service for itself, says otherwise", async () => {
    const failing = async (mesh: string, own: string) => {
      const { inventory } = await load({
        inventory: `${hosts}groups: { zk: [a] }
mesh: { ${mesh} ensemble: zk, proxies: zk, services: { x: { path: /x, port: 8080${own} }, y: { path: /y, port: 8081 } } }
`,
      });
      return inventory.mesh.services.map(({ check }) => check.failFast);
    };
    expect(await failing("", "")).toEqual([true, true]);
    expect(await failing("", ", fail_fast: false")).toEqual([false, true]);
    expect(await failing("fail_fast: false,", ", fail_fast: true")).toEqual([true, false]);
  });

  it("panics below half of a service's servers unless the mesh, or a service for itself, says otherwise", async () => {
    const percents = async (mesh: string, own: string) => {
      const { inventory } = await load({
        inventory: `${hosts}groups: { zk: [a] }
mesh:
  ${mesh}
  ensemble: zk
  proxies: zk
  services: { x: { path: /x, port: 8080${own} }, y: { path: /y, port: 8081 } }
  service_watcher:
    s: { discovery: { method: zookeeper, path: /s }, haproxy: { port: 1, server_options: check, listen: [mode tcp] } }
`,
      });
      return inventory.mesh.services.map(({ panicPercent }) => panicPercent);
    };
    // Synapse's own form says all that it wants.
    expect(await percents("networks: [10.0.0.0/16]", "")).toEqual([50, 50, 0]);
    expect(await percents("panic_threshold: 25%", ", panic_threshold: 0")).toEqual([0, 25, 25]);
    expect(await percents("panic_threshold: 0", ", panic_threshold: 100%")).toEqual([100, 0, 0]);
    await expect(percents("panic_threshold: 50", "")).rejects.toThrow();
  });

  it("needs no mesh, no groups and no network", async () => {
    const { inventory } = await load({ inventory: hosts });
    expect(inventory.mesh).toEqual({
      ensemble: [],
      zookeeper: { clientPort: 2181, quorumPort: 2888, electionPort: 3888 },
      proxies: [],
      networks: [],
      services: [],
    });
    expect(inventory.network).toEqual({ proxy: undefined, caCertificates: undefined });
  });
});
