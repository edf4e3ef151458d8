import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderHaproxyConfig } from "../../src/haproxy/config.ts";
import { imported } from "../../src/import/import.ts";
import { expectAllSaid, filesIn, given as givenIn, loaded } from "./imported-files.ts";

const folder = new URL("./files/", import.meta.url);
const given = (name: string) => givenIn(folder, name);

const files = filesIn(folder);
const hasHaproxy = existsSync("/usr/sbin/haproxy");

describe("import", () => {
  it("has thirteen files to try", () => {
    expect(files).toHaveLength(13);
  });

  it.each(files)("makes an inventory of %s that differs in nothing without a word", async (name) => {
    const file = given(name);
    const text = imported([file]);
    const { inventory, settings } = await loaded(text);
    const names = inventory.mesh.services.map((service) => service.name);
    expectAllSaid(file, text, names, settings);
  });

  it.skipIf(!hasHaproxy).each(files)("makes of %s what a real HAProxy takes", async (name) => {
    const { settings } = await loaded(imported([given(name)]));
    if (settings.services.length === 0) return;
    // What stands on the host alone: certificates and pages of errors.
    const text = renderHaproxyConfig(settings, "x")
      .replace(/ ssl no-sslv3 crt \S+/, "")
      .replace(/^.*errorfile.*\n/gm, "");
    const path = join(mkdtempSync(join(tmpdir(), "meshctl-import-")), "haproxy.cfg");
    const withAddresses = text.replace(/search-\d\.example/g, "10.9.9.9");
    writeFileSync(path, withAddresses);
    expect(() => execFileSync("/usr/sbin/haproxy", ["-c", "-f", path], { stdio: "pipe" })).not.toThrow();
  });

  it.each([
    ["HAProxy 1.5", ["option httpchk GET /ping HTTP/1.1\\r\\nHost:\\ shop.example"]],
    ["HAProxy 2.2", ["option httpchk GET /ping HTTP/1.1", "http-check send hdr Host shop.example"]],
    [
      "HAProxy 2.2, upside down",
      ["http-check send hdr Host shop.example", "option httpchk GET /ping HTTP/1.1"],
    ],
  ])("takes the Host of a check as %s has it", async (_, lines) => {
    const listen = [
      "listen shop",
      "bind 127.0.0.1:3000",
      "mode http",
      ...lines,
      "server a 10.0.0.1:80 check",
    ];
    const text = imported([{ path: "haproxy.cfg", text: `${listen.join("\n  ")}\n` }]);
    const { settings, inventory } = await loaded(text);
    expect(inventory.mesh.services[0]!.check).toMatchObject({ httpHost: "shop.example" });
    expect(settings.services[0]!.backend.filter((line) => /httpchk|http-check/.test(line))).toEqual([
      "option httpchk GET /ping HTTP/1.1",
      "http-check send hdr Host shop.example",
    ]);
    expect(text).not.toMatch(/would change.*check/);
  });

  it("keeps a Cassandra without a mode line from becoming HTTP", async () => {
    const { inventory } = await loaded(imported([given("01-no-mode.json")]));
    expect(inventory.mesh.services.map(({ name, mode }) => [name, mode])).toEqual([
      ["cassandra", "tcp"],
      ["events", "http"],
    ]);
  });

  it("joins what Nerve registers with the services of Synapse's file", async () => {
    const { inventory } = await loaded(imported([given("11-nerve.json"), given("12-synapse.json")]));
    expect(inventory.hosts.get("app-07.example")!.parameters.get("registrar")).toMatchObject({
      services: {
        shop: [
          {
            port: 8080,
            weight: 24,
            labels: { az: "b" },
            check: { http: "/health", inter: 1000, timeout: 200, port: 6666 },
          },
          { port: 8081, backup: true, server_options: "maxconn 30" },
        ],
      },
    });
  });

  it("shares a path among services that pick theirs by labels, and gives each what it picks", async () => {
    const service = (port: number, more: object, discovery: object) => ({
      ...more,
      discovery: { method: "zookeeper", path: "/shop", hosts: ["10.0.0.2:2181"], ...discovery },
      haproxy: { port, server_options: "check", listen: ["mode http"] },
    });
    const filter = (condition: string) => [{ label: "kind", value: "api", condition }];
    const synapse = {
      services: {
        api: service(1, { use_previous_backends: false }, { label_filters: filter("equals") }),
        admin: service(
          2,
          { keep_default_servers: true, default_servers: [{ name: "x", host: "10.0.0.9", port: 1 }] },
          { label_filter: filter("not-equals")[0] },
        ),
        odd: service(3, {}, { label_filters: [{ label: "kind", value: 1, condition: "equals" }] }),
        twin: service(4, {}, { label_filters: filter("equals") }),
      },
    };
    const registration = (port: number, labels?: object) => ({
      ...{ host: "10.0.0.7", port, zk_hosts: ["10.0.0.2:2181"], zk_path: "/shop", checks: [{ type: "tcp" }] },
      ...(labels === undefined ? {} : { labels }),
    });
    const nerve = {
      instance_id: "app-1",
      services: { a: registration(9001, { kind: "api" }), b: registration(9002), c: registration(9003) },
    };
    const text = imported([
      { path: "synapse.json", text: JSON.stringify(synapse) },
      { path: "nerve.json", text: JSON.stringify(nerve) },
    ]);
    const { inventory } = await loaded(text);
    expect(inventory.mesh.services).toMatchObject([
      {
        name: "api",
        discovery: {
          labels: [{ label: "kind", value: "api", condition: "equals" }],
          whenEmpty: "serve_none",
        },
      },
      { name: "admin", discovery: { labels: [{ condition: "not-equals" }], keepsServers: true } },
    ]);
    expect(inventory.hosts.get("app-1")!.parameters.get("registrar")).toMatchObject({
      services: {
        api: [{ port: 9001, labels: { kind: "api" } }],
        admin: [{ port: 9002 }, { port: 9003 }],
      },
    });
    expect(text).toContain("odd: the whole service: no place, its label_filters");
    expect(text).toContain("twin: the whole service: no place, its path /shop and that of 'api'");
  });

  it("made the inventory that comes along", () => {
    const text = imported([given("11-nerve.json"), given("12-synapse.json")]);
    const shipped = new URL("../../inventories/imported.yaml", import.meta.url);
    expect(text).toBe(readFileSync(shipped, "utf8"));
  });

  it.each([
    ["03-dns-host-header.json", ["discovery by dns names no servers", "host: api.example", "backup: true"]],
    [
      "04-tags-and-shared-frontend.json",
      ["discovery by ec2tag", "haproxy.shared_frontend", "it has no port"],
    ],
    [
      "05-leader.json",
      ["hello-leader: the whole service: no place, leader_election has one of its backends serve"],
    ],
    ["06-database-timeouts.json", ["mysql: checker", "client: 3600000"]],
    [
      "07-generated-fleet.json",
      [
        'labels: { "region:north": "" }',
        "when_empty: keep_last",
        "nbproc 2",
        "observe layer7",
        "listen stats",
      ],
    ],
    ["08-slow-checks.json", ["inter: 600s", "bind: 0.0.0.0", "client_port: 2182"]],
    ["09-base-with-override.json", ["server_port_override", "cookie SRV insert indirect", "!env NAME"]],
    [
      "10-haproxy.cfg",
      ["backend orphan", 'called "admin" for "admin_servers"', "listen stats", "weight: 20"],
    ],
    ["11-nerve.json", ["type rabbitmq", "no service of these files has the path /services/shop"]],
    ["13-etcd.json", ["discovery by etcd has no place"]],
  ])("says of %s what it took and what it could not", (name, words) => {
    const text = imported([given(name)]);
    for (const word of words) expect(text).toContain(word);
    expect(text).not.toContain("guestpassword");
  });
});
