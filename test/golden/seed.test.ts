import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { renderedFiles } from "../../src/cli/rendered-files.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { steps } from "../../src/steps/registry.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const golden = (name: string) => readFileSync(new URL(`./seed/${name}`, import.meta.url), "utf8");

const loaded = loadFiles(
  { inventoryFile: `${root}/inventories/seed.yaml`, playbookFile: `${root}/playbooks/site.yaml` },
  steps,
);

async function rendered(host: string, path: string) {
  const machine = { os: { codename: "bookworm" }, architecture: "amd64", memoryBytes: 8 * 2 ** 30 };
  const files = renderedFiles(host, await loaded, machine);
  return files.find((file) => file.path === path)!;
}

/** What a file says, one saying each: lines without comments and indentation, or of JSON every value with its path. */
function sayings(text: string): readonly string[] {
  if (text.startsWith("{")) return leaves(JSON.parse(text), "");
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

function leaves(value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null) return [`${path}: ${value}`];
  const entries = Object.entries(value);
  if (entries.length === 0) return [`${path}: ${JSON.stringify(value)}`];
  return entries.flatMap(([key, inner]) => {
    const at = Array.isArray(value) ? "[]" : key;
    return leaves(inner, path === "" || at === "[]" ? `${path}${at}` : `${path}.${at}`);
  });
}

/** HAProxy obeys the cookie of no request but that of `meshctl probe` itself. */
const ONLY_CANARY =
  "ignore-persist unless { req.fhdr_cnt(cookie) eq 1 } " +
  "{ req.fhdr(cookie) -m reg ^meshctl-probe=meshctl-probe_[0-9A-Za-z.:_-]+$ }";
const DESCRIPTION = "description meshctl-4d5c1b0adc326e5b2b0883ad31a9059bad2e61695f1412d46b2766a881b958c3";

/** `seed`: what the article says and the file says too. `ours`: what the article does not say, and why the file does. */
const files: readonly {
  readonly path: string;
  readonly host: string;
  readonly seed: readonly string[];
  readonly ours: readonly string[];
}[] = [
  {
    path: "/etc/haproxy/haproxy.cfg",
    host: "kvm-01",
    seed: [
      "global",
      "log /dev/log local0",
      "log /dev/log local1 notice",
      "chroot /var/lib/haproxy",
      "user haproxy",
      "group haproxy",
      "daemon",
      "maxconn 50000",
      "defaults",
      "log global",
      "option httplog",
      "option dontlognull",
      "mode http",
      "retries 3",
      "option redispatch",
      "timeout connect 500ms",
      "timeout client 5000ms",
      "timeout server 5000ms",
      "bind 127.0.0.1:8080",
      "option httpchk GET /health",
    ],
    ours: [
      // The running worker gives it back: the proof that it is the one with this file.
      DESCRIPTION,
      // Synapse changes servers through it, and the proof is read from it.
      "stats socket /run/haproxy/admin.sock mode 660 level admin group haproxy",
      "stats timeout 30s",
      // A second time, in `defaults`: before HAProxy 2.0 a front end takes 2000 connections unless it is told more.
      "maxconn 50000",
      // Synapse makes a front end and a back end of the article's one `listen`; each says its mode.
      "frontend user-api",
      "mode http",
      "default_backend user-api",
      "backend user-api",
      "mode http",
      // HAProxy's default, said aloud.
      "balance roundrobin",
      // HAProxy sets no cookie by it, and obeys the one with which `meshctl probe` asks for its canary.
      "cookie meshctl-probe",
      ONLY_CANARY,
    ],
  },
  {
    path: "/etc/meshctl/synapse.conf.json",
    host: "kvm-01",
    // The article has the service under `service_watcher`. Synapse looks under `services`: up to 0.13 it passes the
    // article's word over and serves nothing, and since then it dies of it.
    seed: [
      "services.user-api.discovery.method: zookeeper",
      "services.user-api.discovery.path: /services/user-api",
      "services.user-api.discovery.hosts[]: 10.0.0.2:2181",
      "services.user-api.discovery.hosts[]: 10.0.0.3:2181",
      "services.user-api.discovery.hosts[]: 10.0.0.4:2181",
      "services.user-api.haproxy.port: 8080",
      "services.user-api.haproxy.server_options: check inter 2000 rise 2 fall 3",
      // The article's `listen`, parted as Synapse would part it.
      "services.user-api.haproxy.backend[]: mode http",
      "services.user-api.haproxy.backend[]: option httpchk GET /health",
      "haproxy.global[]: log /dev/log local0",
      "haproxy.global[]: log /dev/log local1 notice",
      "haproxy.global[]: chroot /var/lib/haproxy",
      "haproxy.global[]: user haproxy",
      "haproxy.global[]: group haproxy",
      "haproxy.global[]: daemon",
      "haproxy.global[]: maxconn 50000",
      "haproxy.defaults[]: log global",
      "haproxy.defaults[]: option httplog",
      "haproxy.defaults[]: option dontlognull",
      "haproxy.defaults[]: mode http",
      "haproxy.defaults[]: option redispatch",
      "haproxy.defaults[]: retries 3",
      "haproxy.defaults[]: timeout connect 500ms",
      "haproxy.defaults[]: timeout client 5000ms",
      "haproxy.defaults[]: timeout server 5000ms",
    ],
    ours: [
      // Else data of the parent znode replaces the section below, and Synapse may die of it.
      "services.user-api.discovery.generator_config_path: disabled",
      // Synapse's defaults, said aloud: `when_empty` decides on the second.
      "services.user-api.default_servers: []",
      "services.user-api.use_previous_backends: true",
      "services.user-api.haproxy.bind_address: 127.0.0.1",
      "services.user-api.haproxy.frontend[]: mode http",
      "services.user-api.haproxy.backend[]: balance roundrobin",
      "services.user-api.haproxy.backend[]: cookie meshctl-probe",
      `services.user-api.haproxy.backend[]: ${ONLY_CANARY}`,
      // Shuffled at every start otherwise, and every start would change haproxy.cfg.
      "services.user-api.haproxy.backend_order: asc",
      // As in haproxy.cfg above.
      `haproxy.global[]: ${DESCRIPTION}`,
      "haproxy.global[]: stats socket /run/haproxy/admin.sock mode 660 level admin group haproxy",
      "haproxy.global[]: stats timeout 30s",
      "haproxy.defaults[]: maxconn 50000",
      // Synapse writes a candidate as its own user; the installer validates and installs it, and reloads when asked.
      "haproxy.do_writes: true",
      "haproxy.do_socket: true",
      "haproxy.do_reloads: true",
      "haproxy.config_file_path: /var/lib/meshctl-watcher/haproxy.cfg",
      "haproxy.socket_file_path: /run/haproxy/admin.sock",
      "haproxy.reload_command: touch /var/lib/meshctl-watcher/reload-requested",
      // No more than one reload in two seconds, as by default, and none put off by chance.
      "haproxy.restart_interval: 2",
      "haproxy.restart_jitter: 0",
      // Without it every change of a server would be a reload.
      "haproxy.state_file_path: /var/lib/meshctl-watcher/state.json",
    ],
  },
  {
    path: "/etc/sysctl.d/99-zz-meshctl.conf",
    host: "kvm-01",
    seed: [
      "net.ipv4.tcp_tw_reuse = 1",
      "net.ipv4.ip_local_port_range = 1024 65023",
      "net.ipv4.tcp_max_syn_backlog = 10240",
      "net.ipv4.tcp_fin_timeout = 15",
    ],
    ours: [
      // The wide range holds the mesh's own ports: an outgoing connection could take one before its service does.
      "net.ipv4.ip_local_reserved_ports = 2181,2888,3306,3888,8080,33060",
      // It caps every listener's queue: below 10240 the backlog above means nothing.
      "net.core.somaxconn = 10240",
    ],
  },
  {
    // A drop-in read after everything else, and so not my.cnf itself, which is the package's.
    path: "/etc/mysql/mariadb.conf.d/zz-meshctl.cnf",
    host: "db-01",
    seed: [
      "[mysqld]",
      // The article's 70–80 %, of 8 GiB: option files know no percentages.
      "innodb_buffer_pool_size = 6G",
      "innodb_log_file_size = 512M",
      "innodb_flush_log_at_trx_commit = 2",
    ],
    ours: [],
  },
];

describe("the seed's inventory", () => {
  it.each(files)("makes $path on $host what it is known to be", async ({ path, host }) => {
    expect((await rendered(host, path)).text).toBe(golden(path.split("/").at(-1)!));
  });

  it.each(files)(
    "makes $path of the article's words and of what is explained here",
    ({ path, seed, ours }) => {
      const found = sayings(golden(path.split("/").at(-1)!));
      expect([...found].sort()).toEqual([...seed, ...ours].sort());
    },
  );

  it("gives each server that ZooKeeper lists the article's check line", async () => {
    const { notes } = await rendered("kvm-01", "/etc/haproxy/haproxy.cfg");
    expect(notes.join("\n")).toContain("server NAME HOST:PORT check inter 2000 rise 2 fall 3");
  });
});
