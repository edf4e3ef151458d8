import { type HaproxyConfig, parseHaproxyConfig } from "../haproxy/config.ts";
import { labelFilters } from "../inventory/labels.ts";
import { checkInterval } from "../inventory/read-service-watcher.ts";
import { dnsEntry } from "../inventory/schema.ts";
import { mayBeOne, membersIn } from "./members.ts";
import { isBackLine, isFrontLine } from "./proxies.ts";
import { type Entry, type LeftOut, REGISTERED } from "./service.ts";

type Json = Readonly<Record<string, unknown>>;

export interface SynapseFile {
  /** What Synapse makes of the file, with one server line for all that a registry tells of a service. */
  readonly config: HaproxyConfig;
  /** Service → its path in ZooKeeper or its names in DNS, and what else of its discovery the inventory says. */
  readonly discovered: ReadonlyMap<string, Entry>;
  /** HOST:PORT of ZooKeeper's members. */
  readonly members: readonly string[];
  /** Whether it goes by the weights that Nerve registers. */
  readonly weighs: boolean;
  readonly leftOut: readonly LeftOut[];
}

/** Keys beside `services` and `haproxy` that a file may have. */
const BESIDE: ReadonlyMap<string, string> = new Map([
  ["file_output", "nothing of meshctl's reads what Synapse would write there"],
  ["statsd", "meshctl tells of the mesh itself: status, verify --prometheus"],
  ["service_conf_dir", ""],
]);

/** Keys of a service that ask for nothing, or are taken. */
const KNOWN = new Set([
  ...[
    "discovery",
    "haproxy",
    "default_servers",
    "keep_default_servers",
    "use_previous_backends",
    "leader_election",
  ],
]);
const KNOWN_HAPROXY = new Set(
  "port bind_address bind_options server_options listen frontend backend disabled".split(" "),
);
/** By method: what is taken, or left out with words of its own. */
const KNOWN_DISCOVERY: ReadonlyMap<unknown, ReadonlySet<string>> = new Map([
  ["zookeeper", new Set(["method", "path", "hosts", "label_filters", "label_filter"])],
  ["base", new Set(["method", "path", "hosts", "label_filters", "label_filter"])],
  ["dns", new Set(["method", "servers", "nameserver", "check_interval", "label_filters", "label_filter"])],
]);
const KNOWN_SERVER = new Set(["name", "host", "port", "haproxy_server_options"]);
/** Of `haproxy:` at the top: how Synapse works, which meshctl decides. */
const WORKINGS =
  /^(do_\w+|config_file_path|socket_file_path|reload_command|restart_\w+|state_file_\w+|server_order_seed|max_server_id|global|defaults|extra_sections|bind_address|use_nerve_weights)$/;

/** A synapse.conf.json: as Synapse would write haproxy.cfg from it. */
export function readSynapse(json: Json): SynapseFile {
  const leftOut: LeftOut[] = [];
  const haproxy = mapOf(json.haproxy);
  const discoveries = new Map<string, Entry>();
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
  for (const [key, value] of Object.entries(json)) {
    if (["services", "service_watcher", "haproxy"].includes(key)) {
      if (mapOf(value) !== value)
        leftOut.push({ what: `${key} ${JSON.stringify(value)}`, because: "it is no map" });
    } else if (BESIDE.get(key) !== "")
      leftOut.push({ what: key, because: BESIDE.get(key) ?? "meshctl's Synapse writes for HAProxy alone" });
  }
  for (const [name, given] of Object.entries(mapOf(json.services ?? json.service_watcher))) {
    const service = mapOf(given);
    const own = mapOf(service.haproxy);
    const discovery = mapOf(service.discovery);
    const leave = (what: string, because: string) => leftOut.push({ what: `${name}: ${what}`, because });
    for (const key of Object.keys(service)) if (!KNOWN.has(key)) leave(key, whyNot(key));
    for (const key of Object.keys(own)) if (!KNOWN_HAPROXY.has(key)) leave(`haproxy.${key}`, whyNot(key));
    const decode = mapOf(discovery.decode);
    const decodes = discovery.decode != null && decode.method !== "nerve";
    for (const [key, value] of Object.entries(discovery)) {
      if (key === "generator_config_path" && value === "disabled") continue;
      if (key === "decode" || (KNOWN_DISCOVERY.get(discovery.method)?.has(key) ?? true)) continue;
      leave(`discovery.${key}`, whyNot(key));
    }
    if (own.disabled != null && own.disabled !== false) {
      leave("the whole service", "it is disabled for HAProxy, so Synapse makes no front end of it");
      continue;
    }
    if (service.leader_election != null && service.leader_election !== false) {
      leave(
        "the whole service",
        "leader_election has one of its backends serve, and a service of meshctl's has all that are registered",
      );
      continue;
    }
    const isRegistered = discovery.method === "zookeeper" && typeof discovery.path === "string";
    if (own.port === null) {
      leave(
        "the whole service",
        `it has no port, only the address ${own.bind_address ?? "of all"}: a service binds IP addresses with one port`,
      );
      continue;
    }
    if (own.port === undefined) {
      leave("the whole service", "it has no port, so Synapse makes no front end of it");
      continue;
    }
    if (isRegistered && decodes) {
      leave(
        "the whole service",
        `its backends are read by decode ${decode.method ?? JSON.stringify(discovery.decode)}: they are JSON with host and port here, as Nerve writes it`,
      );
      continue;
    }
    const dns = discovery.method === "dns" ? dnsOf(service, discovery, leave) : undefined;
    if (dns === "none") continue;
    if (!isRegistered && dns === undefined && discovery.method !== "base") {
      leave(
        "the whole service",
        `discovery by ${discovery.method ?? "nothing"} has no place: write it with 'servers' under mesh.services, or register it in ZooKeeper`,
      );
      continue;
    }
    const labels = isRegistered ? labelsOf(discovery, leave) : undefined;
    if (isRegistered && labels === "none") continue;
    if (isRegistered) {
      const named = membersIn(discovery.hosts);
      if (named === "several chroots") {
        leave("the whole service", `its hosts have several chroots: ${JSON.stringify(discovery.hosts)}`);
        continue;
      }
      // Without a chroot at the connection the same znode has the longer path.
      const path = `${named.chroot}${String(discovery.path).replace(/\/+$/, "")}`;
      const sharer = [...discoveries].find(([, { path: other, labels: theirs }]) =>
        typeof other !== "string"
          ? false
          : other === path
            ? !areTold(labels, theirs)
            : `${other}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${other}/`),
      );
      if (sharer !== undefined) {
        leave(
          "the whole service",
          `its path ${path} and that of '${sharer[0]}' hold each other's backends: give it a path of its own, or both labels`,
        );
        continue;
      }
      const keeps = service.use_previous_backends;
      discoveries.set(name, {
        path,
        ...(labels === undefined ? {} : { labels }),
        ...(typeof keeps === "boolean" ? { when_empty: keeps ? "keep_last" : "serve_none" } : {}),
        ...(service.keep_default_servers === true && listOf(service.default_servers).length > 0
          ? { keep_servers: true }
          : {}),
      });
      if (!mayBeOne([...members], named.members))
        leave(
          `its ZooKeeper ${named.members.join(", ")}`,
          `the services before have ${[...members].join(", ")}, and a mesh has one ensemble: all are its members here`,
        );
      for (const member of named.members) members.add(member);
    }
    if (dns !== undefined) discoveries.set(name, { dns });
    const defaults = dns === undefined ? listOf(service.default_servers).map(mapOf) : [];
    const listen = linesOf(own.listen);
    // The server's own port is what a check asks anyway.
    const options =
      typeof own.server_options === "string" ? own.server_options.replace(/\bport %\{port\}/g, "") : "";
    for (const server of defaults) {
      const more = Object.keys(server).filter(
        (key) => !KNOWN_SERVER.has(key) && !(key === "weight" && haproxy.use_nerve_weights !== true),
      );
      if (more.length > 0)
        leave(
          `${more.join(", ")} of default server ${server.name ?? server.host}`,
          "a server has name, host, port, weight and backup",
        );
    }
    const bind = [own.bind_address ?? haproxy.bind_address ?? "localhost", own.port].join(":");
    const servers = [
      ...(isRegistered || dns !== undefined ? [`server registered ${REGISTERED}:1 ${options}`] : []),
      ...defaults.map((server) =>
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
  return {
    config: parseHaproxyConfig(text.join("\n")),
    discovered: discoveries,
    members: [...members],
    weighs: haproxy.use_nerve_weights === true,
    leftOut,
  };
}

/** A service's `labels`; undefined without filters, "none" where what they say has no place: it would get others' backends. */
function labelsOf(
  discovery: Json,
  leave: (what: string, because: string) => void,
): Readonly<Record<string, unknown>> | undefined | "none" {
  const given = [discovery.label_filter, discovery.label_filters].flat().filter((each) => each != null);
  if (given.length === 0) return undefined;
  const filters = labelFilters.safeParse(given);
  const labels: Record<string, string | { readonly not: readonly string[] }> = {};
  for (const { label, value, condition } of filters.data ?? []) {
    const known = labels[label];
    if (known !== undefined && (typeof known === "string" || condition === "equals")) {
      leave("the whole service", `its label_filters say two things of the label ${label}`);
      return "none";
    }
    labels[label] =
      condition === "equals" ? value : { not: [...(typeof known === "object" ? known.not : []), value] };
  }
  if (filters.success) return labels;
  leave(
    "the whole service",
    `its label_filters ${JSON.stringify(given)} are no list of label, value (text) and condition (equals, not-equals)`,
  );
  return "none";
}

/** Whether services at one path are told apart by labels. */
function areTold(one: unknown, other: unknown): boolean {
  return one !== undefined && other !== undefined && JSON.stringify(one) !== JSON.stringify(other);
}

/** A service's `dns`; "none" where what its discovery says has no place: it would get other servers. */
function dnsOf(
  service: Json,
  discovery: Json,
  leave: (what: string, because: string) => void,
): Entry | "none" {
  const servers = listOf(discovery.servers).map(mapOf);
  const names = servers.map(({ host, port }) => `${host}:${port}`);
  const without = (because: string): "none" => {
    leave("the whole service", because);
    return "none";
  };
  if (names.length === 0) return without("discovery by dns names no servers");
  const wrong = names.filter((name) => !dnsEntry.safeParse({ names: [name] }).success);
  if (wrong.length > 0)
    return without(
      `discovery by dns takes whole names with their ports, and not ${wrong.join(", ")}: addresses are 'servers' of a service`,
    );
  if (discovery.label_filters != null || discovery.label_filter != null)
    return without("its label_filters pick among its names: leave out those that it does not pick");
  const nameserver = discovery.nameserver ?? undefined;
  if (!dnsEntry.shape.nameserver.safeParse(nameserver).success)
    return without(`its nameserver ${JSON.stringify(nameserver)} is no IP address`);
  const interval = checkInterval(discovery.check_interval);
  const isTaken = dnsEntry.shape.interval.safeParse(interval).success;
  if (!isTaken)
    leave(
      `discovery.check_interval ${JSON.stringify(discovery.check_interval)}`,
      "the proxies ask every 1 to 30 seconds: every 5 here",
    );
  const called = servers.flatMap(({ name }) => (typeof name === "string" ? [name] : []));
  if (called.length > 0)
    leave(`the server names ${called.join(", ")}`, "what DNS tells is called by its address in HAProxy");
  for (const { host, port: _, name: __, ...more } of servers)
    if (Object.keys(more).length > 0)
      leave(`${Object.keys(more).join(", ")} of ${host}`, "a name in DNS has a port, and nothing else");
  if (listOf(service.default_servers).length > 0)
    leave(
      "default_servers",
      "a service that DNS tells has no others: a name that is not told keeps its last addresses",
    );
  if (service.use_previous_backends === false)
    leave("use_previous_backends", "a name that is not told keeps its last addresses");
  return {
    names: [...new Set(names)],
    ...(nameserver === undefined ? {} : { nameserver }),
    ...(isTaken ? { interval } : {}),
  };
}

function whyNot(key: string): string {
  const words: Readonly<Record<string, string>> = {
    backend_name: "front end and back end have the service's name",
    use_nerve_weights: "a registration's weight counts always",
    use_path_encoding: "the released Synapse does not know it: labels say it",
    file_output: BESIDE.get("file_output")!,
    haproxy_server_options: "the released Synapse knows it of servers only",
    generator_config_path: "what a service is like stands in the inventory alone",
    backend_order: "meshctl keeps the order of names",
    server_port_override: "each backend registers the port that it listens on",
    backend_port_override: "each backend registers the port that it listens on",
    shared_frontend: "each service has a front end of its own",
    cookie_value_method: "meshctl's services set no cookie",
  };
  return (Object.hasOwn(words, key) ? words[key] : undefined) ?? "the released Synapse does not know it";
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
