import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { compareHaproxyConfig, directiveIn, parseHaproxyConfig } from "../../../src/haproxy/config.ts";
import type { HaproxyParameters } from "../../../src/haproxy/parameters.ts";
import { descriptionOf } from "../../../src/haproxy/settings.ts";
import { loadFiles } from "../../../src/playbook/load-files.ts";
import type { HaproxyDesired } from "../../../src/steps/haproxy/desired.ts";
import { haproxy } from "../../../src/steps/haproxy/index.ts";
import { steps } from "../../../src/steps/registry.ts";
import { assessed, configText } from "./host.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const inventories = [
  "example.yaml",
  "http-mesh.yaml",
  "databases-and-queues.yaml",
  "imported.yaml",
  "seed.yaml",
  "without-zookeeper.yaml",
  "every key",
];

/** What the shipped ones do not say. */
const EVERY_KEY = `version: 1
mesh:
  proxies: proxies
  services:
    web:
      mode: http
      port: 8080
      bind: [127.0.0.1, 127.0.0.2]
      bind_options: defer-accept
      balance: hdr(X-Key)
      retries: 5
      maxconn: 300
      timeout: { connect: 1s, client: 2s, server: 3s, queue: 4s, tunnel: 5s }
      check: { http: HEAD /up, host: web.example, expect: status 204, port: 9000, inter: 3s, rise: 4, fall: 5 }
      lines:
        frontend: [acl is_old path_beg /old, "http-request deny if is_old", "http-request set-header X-A b"]
        backend: [http-send-name-header X-Server, option abortonclose]
        server: maxconn 30 slowstart 10s
      servers:
        - { name: a, host: 10.9.0.1, port: 80, weight: 7 }
        - { name: b, host: 10.9.0.2, port: 80, backup: true }
    queue:
      mode: tcp
      port: 5672
      panic_threshold: 20%
      fail_fast: false
      check: { tcp: { send: "AMQP????", expect: AMQP } }
      servers: [{ host: 10.9.0.3, port: 5672 }]
    db:
      mode: tcp
      port: 3306
      panic_threshold: 0
      check: { mysql: checker }
      servers: [{ host: 10.9.0.4, port: 3306 }]
    cache:
      mode: tcp
      port: 6379
      check: { redis: true }
      servers: [{ host: 10.9.0.5, port: 6379 }]
    bare:
      mode: tcp
      port: 7000
      check: false
      servers: [{ host: 10.9.0.6, port: 7000 }]
hosts: { p: { address: 10.9.0.9 } }
groups:
  proxies:
    hosts: [p]
    haproxy:
      maxconn: 9000
      timeout_connect: 700ms
      timeout_client: 6s
      timeout_server: 7s
      timeout_tcp: 1h
      hard_stop_after: 1h
      retries: 2
      retry_on: [empty-response]
      global: [log /dev/log local1 notice, spread-checks 5]
      defaults: [option http-keep-alive, timeout http-request 3s]
      stats: { port: 3212, uri: /stats }
      sections:
        resolvers dns: ["nameserver one 10.9.0.53:53", hold valid 10s]
        listen other: ["bind 127.0.0.1:3213", mode http, "http-request deny"]
`;

async function desiredOf(name: string): Promise<HaproxyDesired> {
  const own = join(mkdtempSync(join(tmpdir(), "meshctl-every-line-")), "i.yaml");
  writeFileSync(own, EVERY_KEY);
  const inventoryFile = name === "every key" ? own : `${root}/inventories/${name}`;
  const { inventory } = await loadFiles(
    { inventoryFile, playbookFile: `${root}/playbooks/site.yaml` },
    steps,
  );
  const host = inventory.hosts.get(inventory.mesh.proxies[0]!)!;
  return haproxy.desired(host.parameters.get("haproxy") as HaproxyParameters, host, inventory);
}

/** Lines of kinds of sections that another inventory made, too: once is enough for the same words. */
const tried = new Set<string>();

/** Lines of a section, with the number of each; titles, comments and meshctl's own description are none. */
function linesIn(text: string) {
  let kind = "";
  return (
    text
      .split("\n")
      .map((line, at) => {
        if (!line.startsWith(" ")) kind = line.split(" ")[0]!;
        return { line, at, words: `${kind}: ${line}` };
      })
      // Of the ladder of rules that panic has one stands for the others.
      .filter(({ line }) => !/nbsrv\(\S+\) le [1-9]/.test(line))
      .filter(({ line }) => line.startsWith("    ") && !line.trim().startsWith("description "))
  );
}

const without = (text: string, at: number) => text.split("\n").toSpliced(at, 1).join("\n");
const changed = (text: string, at: number) => {
  const lines = text.split("\n");
  return lines.with(at, `${lines[at]} meshctl-test`).join("\n");
};

/** What `verify` shows of a host that is not as wanted. */
function told(want: HaproxyDesired, probe: Parameters<typeof assessed>[1]): string {
  return assessed(want, probe)
    .open.flatMap(({ setting, want: wanted, onDisk, inForce, because }) => [
      setting,
      wanted,
      JSON.stringify([onDisk, inForce]),
      because ?? "",
    ])
    .join("\n");
}

describe.each(inventories)("each line that %s makes", (name) => {
  it("is named by a row where haproxy.cfg lacks it, or says more, and where HAProxy was loaded so", async () => {
    const want = await desiredOf(name);
    const text = configText(want, descriptionOf(want.settings));
    const before = told(want, {});
    const silent: string[] = [];
    for (const { line, at, words: here } of linesIn(text)) {
      if (tried.has(here)) continue;
      const words = directiveIn(line.trim());
      for (const [how, other] of [
        ["without", without(text, at)],
        ["more than", changed(text, at)],
      ] as const) {
        for (const [where, probe] of [
          ["on disk", { config: other }],
          ["in force", { loaded: other }],
        ] as const) {
          const after = told(want, probe);
          if (after === before || !after.includes(words)) silent.push(`${where}, ${how} "${line.trim()}"`);
        }
      }
      tried.add(here);
    }
    expect(silent).toEqual([]);
  });

  it("is in its place where HAProxy goes by the order", async () => {
    const want = await desiredOf(name);
    const lines = configText(want).split("\n");
    const silent: string[] = [];
    for (const [at, line] of lines.entries()) {
      const next = lines[at + 1];
      const rule = /^ {4}(http-request|http-response|http-check|tcp-check|tcp-request|use_backend|redirect) /;
      if (next === undefined || line === next || !rule.test(line) || !rule.test(next)) continue;
      if (rule.exec(line)![1] !== rule.exec(next)![1]) continue;
      const other = lines
        .with(at, next)
        .with(at + 1, line)
        .join("\n");
      if (compareHaproxyConfig(parseHaproxyConfig(other), want.settings).length === 0)
        silent.push(line.trim());
    }
    expect(silent).toEqual([]);
  });
});
