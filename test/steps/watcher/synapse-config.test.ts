import { describe, expect, it } from "vitest";
import { type ByZookeeper, pathOf } from "../../../src/contract/mesh.ts";
import { CANARY } from "../../../src/haproxy/canary.ts";
import { compareHaproxyConfig, parseHaproxyConfig, serversOf } from "../../../src/haproxy/config.ts";
import { descriptionOf } from "../../../src/haproxy/settings.ts";
import { scriptText } from "../../../src/script-text.ts";
import { wantedServers } from "../../../src/steps/watcher/backend-sets.ts";
import {
  backendOf,
  type KeptBackends,
  keptBackends,
  serverName,
} from "../../../src/steps/watcher/backends.ts";
import { haproxyFrame } from "../../../src/steps/watcher/haproxy-frame.ts";
import { renderSynapseConfig } from "../../../src/steps/watcher/synapse-config.ts";
import { installerPathUnit, watcherUnit } from "../../../src/steps/watcher/units.ts";
import { desired, haproxyConfig, KEY, service } from "./world.ts";

const mail = service({
  name: "mail",
  mode: "tcp",
  port: 2525,
  discovery: { by: "inventory" },
  servers: [{ name: "mx", host: "10.0.0.9", port: 25 }],
  check: { http: undefined, interMs: 2000, rise: 2, fall: 3, failFast: false },
});

const registered = (more: Partial<ByZookeeper>) =>
  service({ discovery: { by: "zookeeper", path: "/services/user-api", ...more } });

describe("Synapse's configuration", () => {
  it("is its real schema: only keys it knows at the top", () => {
    const config = JSON.parse(renderSynapseConfig(desired()));
    expect(Object.keys(config)).toEqual(["services", "haproxy"]);
    expect(config.services["user-api"]).toMatchObject({
      discovery: {
        method: "zookeeper",
        path: "/services/user-api",
        hosts: ["10.0.0.2:2181", "10.0.0.3:2181", "10.0.0.4:2181"],
        generator_config_path: "disabled",
      },
      default_servers: [],
      use_previous_backends: true,
      haproxy: { port: 8080, bind_address: "127.0.0.1", server_options: "check inter 2000 rise 2 fall 3" },
    });
    expect(config.haproxy).toMatchObject({ do_writes: true, do_reloads: true, do_socket: true });
  });

  it("names the settings in the description, which the running worker gives back", () => {
    const want = desired();
    expect(JSON.parse(renderSynapseConfig(want)).haproxy.global[0]).toBe(
      `description ${descriptionOf(want.settings)}`,
    );
  });

  it("drops the previous servers when an empty path is to serve none", () => {
    const config = JSON.parse(renderSynapseConfig(desired({ whenEmpty: "serve_none" })));
    expect(config.services["user-api"].use_previous_backends).toBe(false);
  });

  it("picks by labels, keeps fixed servers and the last ones as each service says", () => {
    const labels = [{ label: "kind", value: "api", condition: "equals" as const }];
    const own = registered({ labels, whenEmpty: "serve_none", keepsServers: true });
    const { services } = JSON.parse(renderSynapseConfig(desired({ services: [own] })));
    expect(services["user-api"]).toMatchObject({
      discovery: { label_filters: labels },
      use_previous_backends: false,
      keep_default_servers: true,
    });
    const { services: plain } = JSON.parse(renderSynapseConfig(desired()));
    expect(plain["user-api"].discovery).not.toHaveProperty("label_filters");
    expect(plain["user-api"]).not.toHaveProperty("keep_default_servers");
  });

  it.each<[string, Partial<ByZookeeper>, readonly string[], readonly string[]]>([
    ["a label", { labels: [{ label: "kind", value: "api", condition: "equals" }] }, ["api"], ["api"]],
    [
      "a label's absence",
      { labels: [{ label: "kind", value: "api", condition: "not-equals" }] },
      ["admin", "odd"],
      [],
    ],
    ["nothing", {}, ["admin", "api", "odd"], []],
  ])("is judged by the same rules where a service picks by %s", (_, more, picked, kept) => {
    const own = registered(more);
    const child = (name: string, labels: unknown) =>
      [name, JSON.stringify({ host: "10.0.0.3", port: 1, name, labels })] as const;
    const children = [child("api", { kind: "api" }), child("admin", { kind: "admin" }), child("odd", "kind")];
    const namesOf = (listed: typeof children, last: ReadonlyMap<string, KeptBackends> = new Map()) =>
      wantedServers(own, desired({ services: [own] }), {
        registry: { member: "x", children: new Map([[own.name, new Map(listed)]]) },
        kept: last,
        dns: new Map(),
      })!.names.map((name) => name.split("_")[0]);
    expect(namesOf(children)).toEqual(picked);
    // What is remembered counts for who picked it, and for nobody who picks otherwise.
    const labels = [{ label: "kind", value: "api", condition: "equals" }];
    const backends = [{ name: "api", host: "10.0.0.3", port: 1 }];
    expect(namesOf([], new Map([[own.name, { path: pathOf(own)!, labels, backends }]]))).toEqual(kept);
  });

  it("serves fixed servers without ZooKeeper", () => {
    const config = JSON.parse(renderSynapseConfig(desired({ services: [mail] })));
    expect(config.services.mail).toMatchObject({
      discovery: { method: "base" },
      default_servers: [{ name: "mx", host: "10.0.0.9", port: 25 }],
      haproxy: {
        backend: ["mode tcp", "balance roundrobin", "option srvtcpka", "timeout server 28800000ms"],
      },
    });
  });

  it("runs nothing as Ruby and fills in nothing", () => {
    const want = desired();
    const [first] = want.settings.services;
    const settings = { ...want.settings, services: [{ ...first!, serverOptions: "check <%= `id` %> 50%" }] };
    const text = renderSynapseConfig({ ...want, settings });
    expect(text).not.toContain("<%");
    expect(JSON.parse(text).services["user-api"].haproxy.server_options).toBe("check <%%= `id` %%> 50%%");
  });
});

describe("haproxy.cfg from Synapse", () => {
  it("means what the settings say when it is the frame and servers", () => {
    const want = desired();
    const config = parseHaproxyConfig(haproxyConfig(want, ["10.0.0.21:9001", "bee_10.0.0.22:9001 disabled"]));
    expect(compareHaproxyConfig(config, want.settings)).toEqual([]);
    expect(serversOf(config, "user-api").map(({ disabled }) => disabled)).toEqual([false, true]);
  });

  it("fails fast by what Synapse copies: lines of the back end, and options of every server", () => {
    const want = desired({ services: [service({ check: { ...service().check, failFast: true } })] });
    const { backend, server_options } = JSON.parse(renderSynapseConfig(want)).services["user-api"].haproxy;
    expect(backend).toContain("timeout check 250ms");
    expect(server_options).toContain("fastinter 100");
    expect(haproxyFrame(want.settings)).toContain("\ntimeout check 250ms\n");
    const config = parseHaproxyConfig(haproxyConfig(want, ["10.0.0.21:9001"]));
    expect(compareHaproxyConfig(config, want.settings)).toEqual([]);
  });

  it("has the frame in the order of Synapse's configuration, whatever the names are", () => {
    const want = desired({ services: [service(), service({ name: "8081", port: 8081 })] });
    const order = Object.keys(JSON.parse(renderSynapseConfig(want)).services);
    const frame = [...haproxyFrame(want.settings).matchAll(/^frontend (.*)$/gm)].map((match) => match[1]);
    expect(frame).toEqual(order);
  });

  it("may still hold a fixed server that left the inventory, in maintenance", () => {
    const want = desired({ services: [mail] });
    const config = parseHaproxyConfig(haproxyConfig(want, ["mx_10.0.0.9:25", "old_10.0.0.8:25 disabled"]));
    expect(compareHaproxyConfig(config, want.settings)).toEqual([]);
  });
});

describe("a backend", () => {
  it.each([
    ['{"host":"10.0.0.21","port":9001}', "10.0.0.21:9001"],
    ['{"host":"10.0.0.21","port":"9001","name":""}', "10.0.0.21:9001"],
    ['{"host":"10.0.0.21","port":9001,"name":"bee","weight":3}', "bee_10.0.0.21:9001"],
    ["not JSON", undefined],
    ['{"host":"10.0.0.21"}', undefined],
    ["[]", undefined],
    ['"host port"', undefined],
    ['{"host":"10.0.0.21","port":"http"}', undefined],
    ['{"host":"10.0.0.21","port":65536}', undefined],
    ['{"host":"10.0.0.21","port":9001,"name":5}', undefined],
    ['{"host":"10.0.0.21","port":9001,"name":"a b"}', undefined],
    ['{"host":"10.0.0.21 backup","port":9001}', undefined],
    ['{"host":"10.0.0.21","port":9001,"haproxy_server_options":"weight 1\\nglobal"}', undefined],
    ['{"host":"10.0.0.21","port":9001,"haproxy_server_options":"weight 100%"}', "10.0.0.21:9001"],
  ])("%s is called as Synapse calls it", (data, name) => {
    const backend = backendOf(data, desired().policy, "user-api");
    expect("refused" in backend ? undefined : serverName(backend)).toBe(name);
  });

  it("is remembered as the watcher wrote it down, and nothing else is", () => {
    const text = JSON.stringify({
      "user-api": {
        path: "/services/user-api",
        backends: [
          { name: null, host: "10.0.0.21", port: 9001, id: 1, haproxy_server_options: "weight 5%%" },
          { name: "meshctl-probe", host: "10.0.0.2", port: 65_100 },
        ],
      },
      other: "x",
      older: [{ host: "10.0.0.21", port: 9001 }],
    });
    const backends = [{ name: undefined, host: "10.0.0.21", port: 9001, options: "weight 5%" }];
    expect(keptBackends(text)).toEqual(new Map([["user-api", { path: "/services/user-api", backends }]]));
    expect(keptBackends("{cut of")).toEqual(new Map());
  });
});

it("is told what to load before Synapse, which knows the canary by its name", () => {
  const patches = scriptText(new URL("../../../src/steps/watcher/synapse-patches.rb", import.meta.url));
  expect(patches).toContain(`CANARY = "${CANARY}"`);
});

describe("the units", () => {
  it("never give Synapse up, and start it with every gem's libraries", () => {
    const text = watcherUnit(KEY);
    expect(text).toContain("Restart=always");
    expect(text).toContain("StartLimitIntervalSec=0");
    expect(text).toContain(`/opt/meshctl/watcher/${KEY}/gems/zookeeper-1.5.5/ext`);
    expect(text).toContain("User=meshctl-watcher");
  });

  it("look for candidates by their existence, which cannot be missed while the installer runs", () => {
    const text = installerPathUnit();
    expect(text).toContain("PathExists=/var/lib/meshctl-watcher/haproxy.cfg\n");
    expect(text).not.toContain("PathChanged");
  });
});
