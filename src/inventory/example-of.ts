import type * as z from "zod";
import { isPlainMap } from "../plain-map.ts";
import type { Path } from "./path.ts";

/** Values as they are written in YAML, of keys whose defaults and kinds show none. A key within another one first. */
const VALUES: Readonly<Record<string, string>> = {
  // Of an inventory.
  version: "1",
  user: "ops",
  port: "8080",
  "ssh.port": "22",
  "ssh.client": "openssh",
  "ssh.host": "kvm-01.mgmt.example",
  identity_file: "~/.ssh/id_ed25519",
  known_hosts: "~/.ssh/known_hosts",
  password: "!env SSH_PASSWORD",
  "auth.password": "!env ZK_PASSWORD",
  sudo_password: "!env SUDO_PASSWORD",
  passphrase: "!env KEY_PASSPHRASE",
  connect_timeout: "10s",
  address: "10.0.0.1",
  country: "DE",
  countries: "[DE, FR]",
  proxy: "http://proxy.example:3128",
  ca_file: "corp-ca.pem",
  allow_os: "[sid]",
  ensemble: "zookeeper",
  proxies: "proxies",
  firewall: "{ also: [10.9.0.0/16] }",
  service_watcher: "{ orders: { discovery: { method: zookeeper, path: /orders }, haproxy: { port: 8081 } } }",
  networks: "[10.0.0.0/16]",
  also: "[10.9.0.0/16]",
  panic_threshold: "50%",
  // Of a service.
  path: "/services/user-api",
  dns: "{ names: [api.example.com], port: 8080 }",
  names: "[api.example.com]",
  nameserver: "10.0.0.53",
  "dns.interval": "5s",
  servers: "[{ host: 10.0.0.21, port: 3306 }]",
  "servers.host": "10.0.0.21",
  name: "db-01",
  weight: "100",
  labels: "{ kind: api }",
  not: "canary",
  bind: "127.0.0.1",
  bind_options: "ssl crt /etc/ssl/private/mesh.pem",
  check: "{ http: GET /health }",
  http: "GET /health",
  "check.host": "user-api.example",
  expect: "200",
  send: '"PING\\r\\n"',
  "tcp.expect": "+PONG",
  mysql: "haproxy_check",
  timeout: "30s",
  connect: "1s",
  client: "30s",
  server: "30s",
  queue: "5s",
  tunnel: "1h",
  maxconn: "500",
  retries: "3",
  lines: "{ backend: [option forwardfor] }",
  frontend: "[acl internal src 10.0.0.0/8]",
  backend: "[option forwardfor]",
  "lines.server": "maxconn 100",
  server_options: "maxconn 30",
  server_options_allowed: "[ssl]",
  // Of steps.
  global: "[log /dev/log local1 notice]",
  defaults: "[option http-server-close]",
  sections: '{ resolvers dns: ["nameserver one 10.0.0.53:53"] }',
  retry_on: "[conn-failure, empty-response]",
  virtualization: "[kvm, none]",
  stats: "{ port: 3212 }",
  hard_stop_after: "1h",
  id: "1",
  data_log_dir: "/var/lib/zookeeper/log",
  redo_log_capacity: "1G",
  "net.ipv4.ip_local_reserved_ports": "9000,9100-9110",
  services: "{ user-api: { port: 9000 } }",
  replaces: "[synapse.service]",
  formerly: "app-01",
  build_host: "kvm-01",
  gems: "gems",
  packages: "[prometheus-node-exporter]",
  units: "{ app.service: { enabled: true, running: true } }",
  files: "{ /etc/app.conf: { src: app.conf } }",
  content: '"text\\n"',
  src: "app.conf",
  group: "root",
  run: "/usr/local/bin/drain",
  // Of a play.
  hosts: "all",
  serial: "[1, 25%, 100%]",
  max_fail: "0",
  hold: "30s",
  before: "/usr/local/bin/drain",
  after: "/usr/local/bin/undrain",
  steps: "{ sysctl: {} }",
};
/** Where a key of this name is told apart by the one above it. */
const OF_REGISTRAR: Readonly<Record<string, string>> = {
  check: "{ http: /health }",
  http: "/health",
  host: "127.0.0.1",
};
/** Of a command's own check. */
const OF_FILES: Readonly<Record<string, string>> = {
  check: "curl -fsS http://127.0.0.1:9100/metrics -o /dev/null",
  files: "[/etc/app.conf]",
};

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * What a key looks like with a value that is right: "port: 8080", or "- 10.0.0.1" of a list's item. `path` is that of the file,
 * `nodes` are what its schema is there. Undefined where nothing is known.
 */
export function exampleOf(path: Path, nodes: readonly JsonSchema[]): string | undefined {
  const key = path.at(-1);
  if (typeof key === "number") {
    const list = written(path.slice(0, -1), []);
    const [, items] = /^\[(.*)\]$/.exec(list ?? "") ?? [];
    const item = (items?.startsWith("{") ? items : items?.split(", ")[0]) ?? list ?? fromSchema(nodes);
    return item === undefined ? undefined : `- ${item}`;
  }
  const value = key === undefined ? undefined : written(path, nodes);
  return value === undefined ? undefined : `${key}: ${value}`;
}

function written(path: Path, nodes: readonly JsonSchema[]): string | undefined {
  const names = path.filter((part) => typeof part === "string");
  const key = names.at(-1) ?? "";
  const own = names.includes("registrar") ? OF_REGISTRAR : isOfFiles(names) ? OF_FILES : {};
  if (Object.hasOwn(own, key)) return own[key];
  const within = `${names.at(-2)}.${key}`;
  if (Object.hasOwn(VALUES, within)) return VALUES[within];
  const map = nodes.find(({ properties }) => properties !== undefined && Object.keys(properties).length > 0);
  const value = fromSchema(nodes, true) ?? (Object.hasOwn(VALUES, key) ? VALUES[key] : fromSchema(nodes));
  // A key of this name elsewhere may be no map.
  if (map === undefined || value?.startsWith("{") || key === "check") return value;
  const inner = map.required?.[0] ?? Object.keys(map.properties!)[0]!;
  const child = map.properties![inner];
  const example = exampleOf([...path, inner], typeof child === "object" ? alternatives([child]) : []);
  return example === undefined ? value : `{ ${example} }`;
}

/** A schema and the choices within it. */
export function alternatives(schemas: readonly JsonSchema[]): JsonSchema[] {
  return schemas.flatMap((schema) => [
    schema,
    ...alternatives([...(schema.anyOf ?? []), ...(schema.allOf ?? []), ...(schema.oneOf ?? [])]),
  ]);
}

/** Parameters of the step `files`, and the list of files in one of its units. */
function isOfFiles(names: readonly string[]): boolean {
  const at = names.indexOf("files");
  return at !== -1 && (names[at + 1] === "check" || (names[at + 1] === "units" && names.at(-1) === "files"));
}

/** A default that says something, or with `all` but a default the first of all that may stand there. */
function fromSchema(nodes: readonly JsonSchema[], onlyDefault = false): string | undefined {
  const given = nodes.map(({ default: each }) => each).find((each) => each !== undefined && !isEmpty(each));
  if (given !== undefined) return asYaml(given);
  if (onlyDefault) return undefined;
  const choice = nodes.flatMap((node) => node.enum ?? (node.const === undefined ? [] : [node.const]))[0];
  if (choice !== undefined) return asYaml(choice);
  return nodes.some(({ type }) => type === "boolean") ? "true" : undefined;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isPlainMap(value) && Object.keys(value).length === 0;
}

function asYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asYaml).join(", ")}]`;
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[1-9]\d*$/.test(value) || /^[A-Za-z/~][\w./~%@ -]*$/.test(value) || /^\d+[a-zA-Z%]+$/.test(value)
    ? value
    : JSON.stringify(value);
}
