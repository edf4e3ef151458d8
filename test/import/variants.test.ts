import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { renderHaproxyConfig } from "../../src/haproxy/config.ts";
import { imported } from "../../src/import/import.ts";
import { expectAllSaid, filesIn, given as givenIn, loaded } from "./imported-files.ts";

const folder = new URL("./variants/", import.meta.url);
const given = (name: string) => givenIn(folder, name);
const files = filesIn(folder);
const HAPROXY = "/usr/sbin/haproxy";

it.each(files)("makes a valid inventory of %s, and says all that it changes", async (name) => {
  const file = given(name);
  const text = imported([file]);
  const { inventory, settings } = await loaded(text);
  expectAllSaid(
    file,
    text,
    inventory.mesh.services.map((service) => service.name),
    settings,
  );
  for (const hidden of ["NaN", "guestpassword", "verysecretkey", "undefined", "[object"])
    expect(text.replace(/ (weight|check\.inter) NaN:/g, "")).not.toContain(hidden);
});

it.skipIf(!existsSync(HAPROXY)).each(files)("makes of %s what a real HAProxy takes", async (name) => {
  const { settings } = await loaded(imported([given(name)]));
  // What stands on the host alone, and what is HAProxy's of 1.5 only.
  const text = renderHaproxyConfig(settings, "x")
    .replace(/^.*(errorfile|mypeers|appsession|reqadd|reqirep|rspadd|rspidel|lua-load) .*\n/gm, "")
    .replace(/ ssl crt(-list)? .*/g, "")
    .replace(/ ssl verify required ca-file \S+/g, " ssl verify none")
    .replace(/main-\d\.internal/g, "10.9.9.8")
    .replace(/mydb\.example/g, "10.9.9.9");
  const path = join(mkdtempSync(join(tmpdir(), "meshctl-import-")), "haproxy.cfg");
  writeFileSync(path, text);
  expect(() => execFileSync(HAPROXY, ["-c", "-f", path], { stdio: "pipe" })).not.toThrow();
});

it.each([
  "services: { a: { discovery: *nobody } }",
  "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n",
])("an alias of nothing, or of too much, is a mistake in the file: %s", (text) =>
  expect(() => imported([{ path: "synapse.yaml", text }])).toThrow(SyntaxError),
);

it.each([
  [
    "synapse-readme.yaml",
    [
      "haproxy.shared_frontend: no place",
      "service1: the whole service: no place, it has no port",
      "name: default-db, host: mydb.example",
      "the files call it 1.zookeeper.example",
    ],
  ],
  [
    "synapse-all-keys.json",
    [
      "file_output: no place, nothing of meshctl's reads",
      "statsd: no place",
      "nginx: no place, meshctl's Synapse writes for HAProxy alone",
      "constructor: no place, meshctl's Synapse writes for HAProxy alone",
      "renamed: toString: no place, the released Synapse does not know it",
      "leader: the whole service: no place, leader_election has one of its backends serve",
      "finagle: the whole service: no place, its backends are read by decode serverset",
      "switched-off: the whole service: no place, it is disabled for HAProxy",
      "by-socket: the whole service: no place, it has no port, only the address /var/run/e.sock",
      "renamed: backend_port_override: no place",
      "renamed: haproxy.backend_name: no place, front end and back end have the service's name",
      "renamed: haproxy.use_nerve_weights: no place",
      "renamed: use_path_encoding: no place, the released Synapse does not know it",
      "observe layer7 weight 10",
      "errorfile 503 /a, errorfile 504 /b",
      "labels of default server e1: no place",
      "service wrong-port (port 70000: expected 1–65535): no place",
      "service wrong-servers (no server): no place",
      "front end edge: no place, it has no back end by default",
      "backend legacy: no place",
      "frontend to-https:",
      "global: nbproc 1: no place",
    ],
  ],
  [
    "synapse-discoveries.json",
    [
      "by-docker: the whole service: no place, discovery by docker",
      "by-ec2tag: the whole service: no place, discovery by ec2tag",
      "by-marathon: the whole service: no place, discovery by marathon",
      "by-zookeeper-dns: the whole service: no place, discovery by zookeeper_dns",
      "by-s3: the whole service: no place, discovery by s3_toggle_file",
      "by-dns: the server names a: no place, what DNS tells is called by its address",
      'names: ["a.example:8000"]',
      "nameserver: 127.0.0.1",
      "interval: 20s",
      "by-dns-slowly: discovery.check_interval 90: no place, the proxies ask every 1 to 30 seconds",
      "by-dns-slowly: default_servers: no place",
      "by-dns-slowly: use_previous_backends: no place",
      "by-dns-slowly: labels of b.example: no place",
      "by-dns-of-addresses: the whole service: no place, discovery by dns takes whole names with their ports, and not 10.3.0.9:80, web:80",
      'by-dns-of-nobody: the whole service: no place, its nameserver "dns.example" is no IP address',
      "by-consul: the whole service: no place, discovery by consul",
      "by-nothing: the whole service: no place, discovery by nothing",
    ],
  ],
  [
    "synapse-chroot.json",
    [
      "path: /smartstack/prod/orders",
      "path: /smartstack/prod/users",
      "acl deep path_reg ^/a{1,}$",
      "mixed: the whole service: no place, its hosts have several chroots",
      "elsewhere: its ZooKeeper other.example:2181: no place",
      "zookeeper: [zk-1, zk-2, zk-3]",
    ],
  ],
  [
    "nerve-checks.json",
    [
      "heartbeat_path: no place",
      "listen_port: no place, the released Nerve does not know it",
      "kinds: checks.headers: no place",
      "kinds: checks.open_timeout 1: no place, a check has one timeout: 0.2",
      "kinds: checks.read_timeout 5: no place",
      "no service of these files has the path /chroot/kinds",
      "redis: a check of type redis: no place, the released Nerve has http, tcp and rabbitmq",
      "rabbit: a check of type rabbitmq: no place, it would put the broker's password",
      "noop: a check of type noop: no place, the released Nerve has http, tcp and rabbitmq",
      "unchecked: no checks: no place, Nerve registers it for as long as it runs",
      "crooked: 1 more checks (http): no place",
      "crooked: check.inter NaN: expected a duration",
      "crooked: weight NaN: expected 0–256",
      "etcd: the whole registration: no place, meshctl registers in ZooKeeper, at a path, and not by etcd",
      "serf: the whole registration: no place",
      "pathless: the whole registration: no place, its zk_path is not said",
      "nothing: the whole registration: no place",
      "portless: the whole registration: no place, its port is not said",
    ],
  ],
  [
    "tabs-and-old-times.cfg",
    [
      "timeout_connect: 5000",
      "timeout_client: 50000",
      "timeout: { client: 10800000, server: 10800000 }",
      "defaults: [option httpclose, option forwardfor]",
      "no place: bind-process 2: it is refused: HAProxy is one process, always",
    ],
  ],
  [
    "carriage-returns.cfg",
    [
      'backend: [option httpchk, "http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host main.internal hdr User-Agent \\"health check\\"", http-check expect status 200]',
      "no place: use_backend be_api if is_api: a service has one back end",
      "backend be_api: no place",
      'no-check resolvers mydns"',
    ],
  ],
  [
    "quoted-and-environment.cfg",
    [
      'haproxy.maxconn "\\"${MAXCONN}\\"": expected number: no place, the default holds',
      "servers: [{ name: pg1, host: 10.0.0.21, port: 5432 }",
      "service ${POOL} (${POOL}): no place",
      "lines: { backend: [option external-check, external-check command /usr/local/bin/pg-check] }",
      "server mx2 10.0.0.52:+1000: a server has a host and a port",
    ],
  ],
  [
    "synapse-generators.json",
    [
      "web: haproxy.shared_frontend: no place",
      "web: discovery.generator_config_path: no place",
      "haproxy.shared_frontend: no place",
      "nohap: the whole service: no place, it has no port",
      'peers cluster: ["peer a 10.2.0.1:1024"',
      'listen stats: ["bind :3212"',
      "servers: [{ name: d1, host: 10.2.0.1, port: 80, backup: true }]",
      "server: slowstart 20s weight 10",
    ],
  ],
  [
    "nerve-texts.json",
    [
      "web.main: check_mocked: no place",
      "web.main: label n 5: no place",
      "nopath: the whole registration: no place, its zk_path is not said",
      "haproxyopt: host localhost: no place, a host registers its mesh address",
      "quick: checks.timeout 0.05: no place, a check has 0.1 seconds at least",
    ],
  ],
  [
    "shared-back-end.cfg",
    [
      "no place: bind 10.4.0.10:80-82",
      "no place: server p2: weight 10%: a weight is a number from 0 to 256",
      "retry_on: [conn-failure, empty-response]",
      "section fcgi-app php: no place, expected a section's kind and name",
      "service ranged with back end pre_defined (bind 10.4.0.11:90-92): no place",
    ],
  ],
  [
    "nerve-conf-dir.json",
    ["i-123: a: no place", "i-123: b: no place, no service of these files has the path /b"],
  ],
  [
    "fedora.cfg",
    [
      "use_backend static if url_static: a service has one back end",
      "backend static: no place",
      "server app3 127.0.0.1:5003 disabled",
      "server app4 10.0.0.4: a server has a host and a port",
      'server app5 "${APP5}:5005": a server has a host and a port',
      "frontend only_redirect:",
      "front end by_map: no place, it has no back end by default",
      "backend bk_mapped: no place",
      'called "main" for "app"',
    ],
  ],
  [
    "named-defaults.cfg",
    [
      'bind: [0.0.0.0, "::"]',
      "timeout: { client: 50000, connect: 5000, server: 50000 }",
      "timeout: { client: 3600000, connect: 1000, server: 3600000 }",
      'host: "2001:db8::1"',
      "cookie SERVERID insert indirect nocache: it is refused",
      "the check of server p2: all servers of a service are checked alike",
      "service switched_off (disabled): no place",
      "listen stats: [timeout client 50000, option http-server-close",
    ],
  ],
  [
    "conditions.cfg",
    [
      ".if feature(OPENSSL): no place, an inventory has no conditions",
      "listen other: no place, it stands in another branch than the first",
      "secure:",
      "always:",
    ],
  ],
  [
    "sections.cfg",
    [
      'stats auth \\"admin:pa ss#word\\"',
      "hard_stop_after: 1800000",
      "listen silent: [mode tcp,",
      "peers mypeers:",
      "user bob insecure-password s3cretpw",
      "section program helper: no place",
      "!env NAME",
    ],
  ],
  [
    "addresses.cfg",
    [
      "service template (server-template web 5 web.example:80 check): no place",
      "service dispatched (dispatch 10.0.0.9:9000): no place",
      "service by_socket (bind /run/app.sock): no place",
      "service ranged (bind 127.0.0.1:9100-9110): no place",
      "service socket_server (server a unix@/run/b.sock): no place",
      "front end lost: no place, its back end nowhere is none of the file's",
      "balance",
      'timeout.server "9000000us": expected a duration',
    ],
  ],
  [
    "old-words.cfg",
    [
      "monitor-uri /haproxy_alive",
      "appsession JSESSIONID len 52 timeout 3h",
      "errorfile 503 /etc/haproxy/errors/own-503.http, option httpclose, errorfile 504 /etc/haproxy/errors/own-504.http",
      "defaults: [errorfile 502 /etc/haproxy/errors/502.http",
      "a # b",
    ],
  ],
])("says of %s what it took and what it could not", (name, words) => {
  const text = imported([given(name)]);
  for (const word of words) expect(text).toContain(word);
});

it.each([
  [
    "HAProxy 2.2, with method and path",
    ["option httpchk", "http-check send meth GET uri /up"],
    "GET /up",
    undefined,
  ],
  [
    "HAProxy 2.2, with a Host",
    ["option httpchk", "http-check send meth HEAD uri /up ver HTTP/1.1 hdr Host shop.example"],
    "HEAD /up",
    "shop.example",
  ],
])("takes the request of a check as %s has it", async (_, lines, http, host) => {
  const listen = [
    "listen shop",
    "bind 127.0.0.1:3000",
    "mode http",
    ...lines,
    "http-check expect status 204",
  ];
  const text = imported([
    { path: "haproxy.cfg", text: `${[...listen, "server a 10.0.0.1:80 check"].join("\n  ")}\n` },
  ]);
  const { inventory } = await loaded(text);
  const [method, path] = http.split(" ");
  expect(inventory.mesh.services[0]!.check).toMatchObject({
    http: { method, path },
    ...(host === undefined ? {} : { httpHost: host }),
  });
  expect(text).toContain("expect: status 204");
  expect(text).not.toMatch(/changes: .*check/);
});

it("has a service allow what its backends register, and leaves out who says what no service may allow", async () => {
  const synapse = {
    services: {
      shop: {
        discovery: { method: "zookeeper", path: "/shop", hosts: ["10.0.0.2:2181"] },
        haproxy: { port: 3000, server_options: "check", listen: ["mode http"] },
      },
    },
  };
  const registration = (port: number, options: string) => ({
    ...{ host: "10.0.0.7", port, zk_hosts: ["10.0.0.2:2181"], zk_path: "/shop", checks: [{ type: "tcp" }] },
    haproxy_server_options: options,
  });
  const nerve = {
    instance_id: "app-1",
    services: {
      a: registration(9001, "ssl verify none maxconn 30"),
      b: registration(9002, "cookie b"),
      c: registration(9003, "maxconn 30"),
    },
  };
  const text = imported([
    { path: "synapse.json", text: JSON.stringify(synapse) },
    { path: "nerve.json", text: JSON.stringify(nerve) },
  ]);
  const { inventory } = await loaded(text);
  expect(inventory.mesh.services[0]!.serverOptionsAllowed).toEqual(["ssl", "verify none"]);
  expect(inventory.hosts.get("app-1")!.parameters.get("registrar")).toMatchObject({
    services: { shop: [{ port: 9001, server_options: "ssl verify none maxconn 30" }, { port: 9003 }] },
  });
  expect(text).toContain('app-1: b with "cookie b": no place, no proxy would take it');
});
