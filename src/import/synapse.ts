import { type HaproxyConfig, parseHaproxyConfig } from "../haproxy/config.ts";
import { isBackLine, isFrontLine } from "./proxies.ts";
import { type LeftOut, REGISTERED } from "./service.ts";

type Json = Readonly<Record<string, unknown>>;

export interface SynapseFile {
  /** What Synapse makes of the file, with one server line for all that a registry tells of a service. */
  readonly config: HaproxyConfig;
  /** Service → its path in ZooKeeper. */
  readonly paths: ReadonlyMap<string, string>;
  /** HOST:PORT of ZooKeeper's members. */
  readonly members: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Keys of a service that ask for nothing, or are taken. */
const KNOWN = new Set(["discovery", "haproxy", "default_servers"]);
const KNOWN_HAPROXY = new Set(
  "port bind_address bind_options server_options listen frontend backend server_port_override".split(" "),
);
const KNOWN_DISCOVERY = new Set(["method", "path", "hosts"]);
/** Of `haproxy:` at the top: how Synapse works, which meshctl decides. */
const WORKINGS =
  /^(do_\w+|config_file_path|socket_file_path|reload_command|restart_\w+|state_file_\w+|global|defaults|extra_sections|bind_address|use_nerve_weights)$/;

/** A synapse.conf.json: as Synapse would write haproxy.cfg from it. */
export function readSynapse(json: Json): SynapseFile {
  const leftOut: LeftOut[] = [];
  const haproxy = mapOf(json.haproxy);
  const paths = new Map<string, string>();
  const members = new Set<string>();
  const text = ["global", ...linesOf(haproxy.global), "defaults", ...linesOf(haproxy.defaults)];
  for (const [title, lines] of Object.entries(mapOf(haproxy.extra_sections)))
    text.push(title, ...linesOf(lines));
  for (const key of Object.keys(haproxy)) {
    if (key === "shared_frontend")
      leftOut.push({ what: "haproxy.shared_frontend", because: "each service has a front end of its own" });
    else if (!WORKINGS.test(key))
      leftOut.push({ what: `haproxy.${key}`, because: "meshctl decides how Synapse works" });
  }
  for (const [name, given] of Object.entries(mapOf(json.services ?? json.service_watcher))) {
    const service = mapOf(given);
    const own = mapOf(service.haproxy);
    const discovery = mapOf(service.discovery);
    const leave = (what: string, because: string) => leftOut.push({ what: `${name}: ${what}`, because });
    for (const key of Object.keys(service)) if (!KNOWN.has(key)) leave(key, whyNot(key));
    for (const key of Object.keys(own)) if (!KNOWN_HAPROXY.has(key)) leave(`haproxy.${key}`, whyNot(key));
    for (const key of Object.keys(discovery)) {
      if (!KNOWN_DISCOVERY.has(key) && discovery.method === "zookeeper")
        leave(`discovery.${key}`, whyNot(key));
    }
    const isRegistered = discovery.method === "zookeeper" && typeof discovery.path === "string";
    if (own.port == null) {
      leave("the whole service", "it has no port, so Synapse makes no front end of it");
      continue;
    }
    if (!isRegistered && discovery.method !== "base") {
      leave(
        "the whole service",
        `discovery by ${discovery.method ?? "nothing"} has no place: write it with 'servers' under mesh.services, or register it in ZooKeeper`,
      );
      continue;
    }
    if (isRegistered) {
      const path = String(discovery.path).replace(/\/+$/, "");
      const sharer = [...paths].find(
        ([, other]) =>
          other === path || `${other}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${other}/`),
      );
      if (sharer !== undefined) {
        leave(
          "the whole service",
          `its path ${path} and that of '${sharer[0]}' hold each other's backends: give it a path of its own`,
        );
        continue;
      }
      paths.set(name, path);
      for (const host of listOf(discovery.hosts)) members.add(String(host));
    }
    const listen = linesOf(own.listen);
    const options = typeof own.server_options === "string" ? own.server_options : "";
    const bind = [own.bind_address ?? haproxy.bind_address ?? "localhost", own.port].join(":");
    const servers = [
      ...(isRegistered ? [`server registered ${REGISTERED}:1 ${options}`] : []),
      ...listOf(service.default_servers)
        .map(mapOf)
        .map((server) =>
          [
            "server",
            String(server.name ?? `${server.host}_${server.port}`),
            `${server.host}:${server.port}`,
            options,
            typeof server.haproxy_server_options === "string" ? server.haproxy_server_options : "",
          ].join(" "),
        ),
    ];
    text.push(
      `frontend ${name}`,
      ...linesOf(own.frontend),
      ...listen.filter(isFrontLine),
      `bind ${bind} ${own.bind_options ?? ""}`,
      `default_backend ${name}`,
      `backend ${name}`,
      ...linesOf(own.backend),
      ...listen.filter(isBackLine),
      ...servers,
    );
  }
  return { config: parseHaproxyConfig(text.join("\n")), paths, members: [...members], leftOut };
}

function whyNot(key: string): string {
  const words: Readonly<Record<string, string>> = {
    label_filters: "a service has every backend below its path: give each set a path of its own",
    use_previous_backends: "is said for all: watcher: { when_empty: keep_last } or serve_none",
    keep_default_servers: "'servers' stand in only while none is registered",
    leader_election: "the released Synapse knows it no more",
    generator_config_path: "what a service is like stands in the inventory alone",
    backend_order: "meshctl keeps the order of names",
    server_port_override: "each backend registers the port that it listens on",
    backend_port_override: "each backend registers the port that it listens on",
    shared_frontend: "each service has a front end of its own",
    cookie_value_method: "meshctl's services set no cookie",
  };
  return words[key] ?? "it has no place in an inventory";
}

export function mapOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Lines, also of a text, which Synapse's README has in places. Line breaks within one part it. */
function linesOf(value: unknown): string[] {
  const lines = typeof value === "string" ? [value] : listOf(value).map(String);
  return lines
    .flatMap((line) => line.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
