import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseHaproxyConfig, renderHaproxyConfig } from "../../src/haproxy/config.ts";
import type { HaproxyParameters } from "../../src/haproxy/parameters.ts";
import { haproxySettings } from "../../src/haproxy/settings.ts";
import { differencesOf } from "../../src/import/differences.ts";
import type { GivenFile } from "../../src/import/given-file.ts";
import { imported } from "../../src/import/import.ts";
import { proxiesOf } from "../../src/import/proxies.ts";
import { readSynapse } from "../../src/import/synapse.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { steps } from "../../src/steps/registry.ts";

const folder = new URL("./files/", import.meta.url);
const site = new URL("../../playbooks/site.yaml", import.meta.url).pathname;

function given(name: string): GivenFile {
  const text = readFileSync(new URL(name, folder), "utf8");
  const directory = new URL(`${name.replace(".json", ".d")}/`, folder);
  if (!existsSync(directory)) return { path: name, text };
  const services = readdirSync(directory).map(
    (file) => [file.replace(".json", ""), readFileSync(new URL(file, directory), "utf8")] as const,
  );
  return { path: name, text, services: new Map(services) };
}

async function loaded(text: string) {
  const file = join(mkdtempSync(join(tmpdir(), "meshctl-import-")), "i.yaml");
  writeFileSync(file, text);
  const { inventory } = await loadFiles({ inventoryFile: file, playbookFile: site }, steps);
  const parameters = inventory.hosts.get("proxy-1")!.parameters.get("haproxy") as HaproxyParameters;
  return { inventory, settings: haproxySettings(parameters, inventory.mesh) };
}

/** What the file itself means, read without the importer's judgement of it. */
function original(file: GivenFile) {
  if (!/^\s*\{/.test(file.text)) return parseHaproxyConfig(file.text);
  const json = JSON.parse(file.text.replace(/,(\s*[}\]])/g, "$1"));
  const more = [...(file.services ?? [])].map(([name, text]) => [name, JSON.parse(text)]);
  return readSynapse({ ...json, services: { ...json.services, ...Object.fromEntries(more) } }).config;
}

const files = readdirSync(folder).filter((name) => /\.(json|cfg)$/.test(name));
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
    if (name.includes("nerve")) return;
    const stand = settings.services.map((service) =>
      service.discovered
        ? { ...service, servers: [{ name: "registered", host: "REGISTERED", port: 1 }, ...service.servers] }
        : service,
    );
    const rendered = renderHaproxyConfig({ ...settings, services: stand }, "x");
    const is = proxiesOf(parseHaproxyConfig(rendered)).proxies;
    const was = proxiesOf(original(file)).proxies;
    for (const proxy of was) {
      if (proxy.servers.length === 0) continue;
      const now = is.find((each) => each.name === proxy.name);
      if (now === undefined) expect(text).toContain(`service ${proxy.name}`);
      else
        for (const difference of differencesOf(proxy, now))
          expect(text.split("\n").map((line) => line.trim())).toEqual(
            expect.arrayContaining([expect.stringContaining(difference)]),
          );
    }
    // Services of Synapse's that are not there are named, too.
    const json = file.text.startsWith("{") ? JSON.parse(file.text.replace(/,(\s*[}\]])/g, "$1")) : {};
    for (const service of Object.keys(json.services ?? {})) {
      if (!names.includes(service)) expect(text).toMatch(new RegExp(`# .*${service.replaceAll(".", "\\.")}`));
    }
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
        labels: [{ label: "kind", value: "api", condition: "equals" }],
        whenEmpty: "serve_none",
      },
      { name: "admin", labels: [{ condition: "not-equals" }], keepsServers: true },
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
    ["03-dns-host-header.json", ["discovery by dns has no place", "host: api.example", "backup: true"]],
    [
      "04-tags-and-shared-frontend.json",
      ["discovery by ec2tag", "haproxy.shared_frontend", "it has no port"],
    ],
    ["05-leader.json", ["its path /nerve/hello/services and that of 'hello'", "or both labels"]],
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
