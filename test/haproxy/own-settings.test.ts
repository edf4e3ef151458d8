import { describe, expect, it } from "vitest";
import { compareHaproxyConfig, parseHaproxyConfig, renderHaproxyConfig } from "../../src/haproxy/config.ts";
import { haproxyParameters } from "../../src/haproxy/parameters.ts";
import { boundAddresses, haproxySettings } from "../../src/haproxy/settings.ts";
import { newestNeed } from "../../src/haproxy/versions.ts";
import { maskSecrets } from "../../src/secret.ts";
import { clashesOf } from "../../src/steps/haproxy/clashes.ts";
import { haproxyFrame } from "../../src/steps/watcher/haproxy-frame.ts";
import { load } from "../playbook/load.ts";
import { mesh, service } from "./mesh.ts";

const inventory = `version: 1
mesh:
  ensemble: z
  proxies: z
  panic_threshold: 0
  services:
    Orders.main:
      path: /services/orders
      port: 8443
      bind: [127.0.0.2, 127.0.0.3]
      bind_options: ssl crt /etc/ssl/mesh.pem
      check: { http: GET /health, host: orders.example, expect: "string all is well", inter: 1s }
      fail_fast: false
      timeout: { connect: 1s, client: 30s, server: 1m, queue: 2s, tunnel: 1h }
      maxconn: 500
      retries: 2
      balance: uri depth 3
      lines:
        frontend: ["acl  bad path_beg /x  # no", http-request deny if bad]
        backend: [stick-table type ip size 1m expire 30m]
        server: maxconn 20
    db:
      port: 3307
      check: { mysql: haproxy_check, port: 3306 }
      mode: tcp
      fail_fast: false
      servers: [{ host: 10.0.0.21, port: 3306 }, { host: 10.0.0.22, port: 3306, backup: true, weight: 10 }]
    cache: { port: 6380, path: /c, check: { redis: true } }
    queue: { port: 5673, path: /q, mode: tcp, check: { tcp: { send: "PING\\r\\n", expect: "+PONG x" } } }
    log: { port: 514, path: /log, mode: tcp, check: false }
hosts: { a: { address: 10.0.0.2 } }
groups: { z: [a] }
`;

const parameters = haproxyParameters.parse({
  global: ["log /dev/log local1   notice"],
  defaults: ["option http-server-close"],
  sections: { "userlist admins": ["user bob insecure-password hunter2hunter2"] },
  stats: { port: 3212 },
});

async function wanted() {
  const { inventory: read } = await load({ inventory });
  return haproxySettings(parameters, read.mesh);
}

const text = async () => renderHaproxyConfig(await wanted(), "x");

describe("a service's own settings", () => {
  it("stand in haproxy.cfg as HAProxy 1.5 understands them, the Host of a check aside", async () => {
    const { sections } = parseHaproxyConfig(await text());
    const linesOf = (kind: string, name: string) =>
      sections.find((each) => each.kind === kind && each.name === name)!.lines.map((line) => line.text);
    expect(linesOf("frontend", "Orders.main")).toEqual([
      "bind 127.0.0.2:8443 ssl crt /etc/ssl/mesh.pem",
      "bind 127.0.0.3:8443 ssl crt /etc/ssl/mesh.pem",
      "mode http",
      "maxconn 500",
      "timeout client 30000ms",
      "acl bad path_beg /x",
      "http-request deny if bad",
      "default_backend Orders.main",
    ]);
    expect(linesOf("backend", "Orders.main").filter((line) => !/cookie/.test(line))).toEqual([
      "mode http",
      "balance uri depth 3",
      "timeout connect 1000ms",
      "timeout server 60000ms",
      "timeout queue 2000ms",
      "timeout tunnel 3600000ms",
      "retries 2",
      "option httpchk GET /health HTTP/1.1",
      "http-check send hdr Host orders.example",
      "http-check expect string all\\ is\\ well",
      "stick-table type ip size 1m expire 30m",
    ]);
    expect(linesOf("backend", "db").slice(-3)).toEqual([
      "option mysql-check user haproxy_check post-41",
      "server 10.0.0.21_3306 10.0.0.21:3306 check inter 2000 rise 2 fall 3 port 3306",
      "server 10.0.0.22_3306 10.0.0.22:3306 check inter 2000 rise 2 fall 3 port 3306 weight 10 backup",
    ]);
    expect(linesOf("backend", "cache")).toContain("option redis-check");
    expect(linesOf("backend", "queue")).toEqual(
      expect.arrayContaining([
        "option tcp-check",
        "tcp-check send PING\\r\\n",
        "tcp-check expect string +PONG\\ x",
      ]),
    );
    expect(linesOf("listen", "meshctl-stats")).toContain("bind 127.0.0.1:3212");
    const newest = { version: "2.2", what: 'the line "http-check send hdr Host orders.example"' };
    expect(newestNeed(await wanted())).toEqual(newest);
  });

  it("are what the installer expects of Synapse, line by line", async () => {
    const frame = haproxyFrame(await wanted());
    const own = (await text())
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !/^(#|server |description )/.test(line));
    const framed = frame.trimEnd().split("\n");
    expect(framed.filter((line) => !line.startsWith("description ")).sort()).toEqual(own.sort());
  });

  it("give a TCP connection eight hours to be silent, and the kernel's word on who vanished", async () => {
    const { services } = await wanted();
    const db = services.find(({ name }) => name === "db")!;
    expect(db.frontend).toEqual(expect.arrayContaining(["timeout client 28800000ms", "option clitcpka"]));
    expect(db.backend).toEqual(expect.arrayContaining(["timeout server 28800000ms", "option srvtcpka"]));
    const [shorter] = haproxySettings(
      haproxyParameters.parse({ timeout_tcp: "1h" }),
      mesh([service({ mode: "tcp" })]),
    ).services;
    expect(shorter!.frontend).toContain("timeout client 3600000ms");
  });

  it("have no check where there is to be none", async () => {
    const { services } = await wanted();
    expect(services.find(({ name }) => name === "log")).toMatchObject({ serverOptions: "" });
  });

  it("differ from nothing but what was changed in the file", async () => {
    const settings = await wanted();
    const file = await text();
    expect(compareHaproxyConfig(parseHaproxyConfig(file), settings)).toEqual([]);
    const lines = file.split("\n").flatMap((line, at) => (/^ {4}(?!description)/.test(line) ? [at] : []));
    for (const at of lines) {
      const without = file
        .split("\n")
        .filter((_, index) => index !== at)
        .join("\n");
      const found = compareHaproxyConfig(parseHaproxyConfig(without), settings);
      expect(found, file.split("\n")[at]).toHaveLength(1);
    }
    const more = file.replace("stats uri /", "stats uri /\n    server hidden 10.9.9.9:80");
    expect(compareHaproxyConfig(parseHaproxyConfig(more), settings)).toEqual([
      expect.objectContaining({ setting: "listen meshctl-stats server", want: "" }),
    ]);
    const otherOptions = file.replace("port 3306 weight 10 backup", "port 3306 weight 10");
    expect(compareHaproxyConfig(parseHaproxyConfig(otherOptions), settings)).toEqual([
      expect.objectContaining({ want: "check inter 2000 rise 2 fall 3 port 3306 weight 10 backup" }),
    ]);
  });

  it("show no password", async () => {
    expect(maskSecrets(await text())).not.toContain("hunter2hunter2");
  });
});

describe("sections beside the services", () => {
  it("are listened on where they bind an address", async () => {
    const bound = boundAddresses(await wanted()).map(({ what, address, port }) => [what, address, port]);
    expect(bound).toEqual(
      expect.arrayContaining([
        ["Orders.main front end", "127.0.0.2", 8443],
        ["Orders.main front end 127.0.0.3:8443", "127.0.0.3", 8443],
        ["listen meshctl-stats 127.0.0.1:3212", "127.0.0.1", 3212],
      ]),
    );
  });

  it("may not take a service's name or port", () => {
    const clashing = haproxyParameters.parse({
      sections: { "listen user-api": ["bind :8080"] },
      stats: { port: 8080 },
    });
    expect(clashesOf(clashing, mesh([service()]))).toEqual([
      { path: ["sections", "listen user-api"], message: "'user-api' is a service of the mesh" },
      {
        path: ["sections", "listen user-api"],
        message: ":8080 is taken by user-api front end already",
      },
      { path: ["stats", "port"], message: "127.0.0.1:8080 is taken by user-api front end already" },
    ]);
  });

  it.each([
    [{ global: ["maxconn 9"] }, "'maxconn' is haproxy.maxconn"],
    [
      { global: ["log x\ndaemon"] },
      "holds a line break, or a character that is none of ASCII's printed ones",
    ],
    [{ defaults: ["timeout client 1h"] }, "'timeout client' is haproxy.timeout_client"],
    [{ defaults: ["backend evil"] }, "'backend' begins a section: those stand under haproxy.sections"],
    [
      { sections: { "listen x": ["server a 10.0.0.9:80"] } },
      "'server' is a service's: a section beside the services has no servers",
    ],
    [
      { sections: { "program x": ["command sh"] } },
      "expected a section's kind and name, like 'listen stats' or 'resolvers dns'",
    ],
  ])("refuse %j", (wrong, message) => {
    expect(JSON.stringify(haproxyParameters.safeParse(wrong).error?.issues)).toContain(message);
  });

  it.each([
    ["resolvers dns", ["nameserver a 10.0.0.1:53"], "1.6"],
    ["peers mesh", ["peer a 10.0.0.2:1024"], undefined],
  ])("need the HAProxy that knows %s", (title, lines, version) => {
    const settings = haproxySettings(
      haproxyParameters.parse({ sections: { [title]: lines } }),
      mesh([service()]),
    );
    expect(newestNeed(settings)?.version).toBe(version);
  });
});
