import * as z from "zod";
import { linesOf, wordsOf } from "../haproxy-lines.ts";
import { durationMs } from "../quantities.ts";
import { labelFilters } from "./labels.ts";
import type { Path } from "./path.ts";
import {
  checkEntry,
  dnsEntry,
  dnsServers,
  httpRequest,
  type ServiceEntry,
  serviceEntry,
  share,
} from "./schema.ts";
import type { Section } from "./section.ts";
import { readServerOptions } from "./server-options.ts";

/** Where `mesh.service_watcher` keeps what `mesh.services` keeps under a service's own key. */
export const PLACES: Readonly<Record<"path" | "dns" | "port" | "servers" | "labels", Path>> = {
  labels: ["discovery", "label_filters"],
  path: ["discovery", "path"],
  dns: ["discovery", "servers"],
  port: ["haproxy", "port"],
  servers: ["default_servers"],
};

type Check = Exclude<ServiceEntry["check"], false>;

const {
  path: znode,
  port,
  bind,
  bind_options: bindOptions,
  servers: serverList,
  mode: modes,
  balance,
} = serviceEntry.shape;

/** Keys of Synapse that ask for nothing else than meshctl does anyway, with the value that does. */
const AS_MESHCTL_DOES = entriesOf<{ readonly value: unknown; readonly otherwise: string }>({
  "discovery.generator_config_path": {
    value: "disabled",
    otherwise: "expected disabled: what a service is like stands in the inventory alone",
  },
  "haproxy.backend_order": { value: "asc", otherwise: "expected asc, the order that meshctl keeps" },
});

/** Keys of Synapse whose meaning has another place in meshctl, or none. */
const ELSEWHERE = entriesOf({
  backend_port_override: "is not translated: let each backend register the port it listens on",
  "discovery.decode": "is not translated: meshctl's Synapse reads children as JSON with host and port",
  "haproxy.cookie_value_method": "is not translated: meshctl's services set no cookie",
});

/**
 * One entry of Synapse's own form (https://github.com/airbnb/synapse#configuring-a-service), which its early articles
 * keep under `service_watcher`, as an entry of `mesh.services`. Undefined after reporting what cannot be translated,
 * each at its place. `members` are ADDRESS:PORT of the ensemble; empty when that does not make sense itself.
 */
export function readServiceWatcher(
  section: Section,
  place: Path,
  members: readonly string[],
): ServiceEntry | undefined {
  if (section.map(place, { optional: false }) === undefined) return undefined;
  const { problem, complete } = collecting(section, place);
  knownKeys(section, place, problem);
  const listed = section.raw([...place, "default_servers"]);
  const hasServers = listed !== undefined && !(Array.isArray(listed) && listed.length === 0);
  const servers = hasServers ? section.check([...place, "default_servers"], serverList) : undefined;
  const discovery = readDiscovery(section, place, members, hasServers, problem);
  const { path, dns } = discovery ?? {};
  const bound = section.raw([...place, "haproxy", "bind_address"]);
  const entry = {
    path,
    dns,
    servers,
    port: section.check([...place, "haproxy", "port"], port),
    bind:
      bound === undefined || bound === "localhost"
        ? "127.0.0.1"
        : bound === "*"
          ? "0.0.0.0"
          : section.check([...place, "haproxy", "bind_address"], bind),
    bind_options: section.checkOptional([...place, "haproxy", "bind_options"], bindOptions),
    ...readLines(section, place, problem),
  };
  const labels = readLabels(section, [...place, "discovery", "label_filters"], (at, message) =>
    problem(["discovery", "label_filters", ...at], message),
  );
  const [keepsServers, keepsLast] = (["keep_default_servers", "use_previous_backends"] as const).map((key) =>
    section.checkOptional([...place, key], z.boolean()),
  );
  const optionsPath = ["haproxy", "server_options"];
  const options = readServerOptions(section, [...place, ...optionsPath], (message) =>
    problem(optionsPath, message),
  );
  if (!complete() || discovery === undefined || entry.port === undefined || entry.bind === undefined)
    return undefined;
  const { http, host, check, timeout, lines, speaksHttp: _, ...rest } = entry;
  return {
    ...rest,
    timeout: Object.keys(timeout).length === 0 ? undefined : timeout,
    lines:
      lines.frontend.length + lines.backend.length === 0 && options.rest === undefined
        ? undefined
        : { frontend: [...lines.frontend], backend: [...lines.backend], server: options.rest },
    port: entry.port,
    bind: entry.bind,
    labels,
    // Without a word Synapse keeps them.
    when_empty:
      keepsLast === undefined || path === undefined ? undefined : keepsLast ? "keep_last" : "serve_none",
    keep_servers: keepsServers && path !== undefined && servers !== undefined ? true : undefined,
    // A check that the file does not have is not put in, and the numbers of one that it has are kept.
    check:
      options.check === false ? false : { ...checkEntry.parse({}), ...options.check, http, host, ...check },
    fail_fast: section.raw(["mesh", "fail_fast"]) === true,
    panic_threshold: share.safeParse(section.raw(["mesh", "panic_threshold"])).data ?? 0,
    server_options_allowed: undefined,
  };
}

type Problem = (path: Path, message: string, at?: "key" | "value") => void;

function collecting(section: Section, place: Path): { problem: Problem; complete: () => boolean } {
  let isComplete = true;
  return {
    problem(path, message, at = "value") {
      isComplete = false;
      section.problem([...place, ...path], message, { at });
    },
    complete: () => isComplete,
  };
}

function knownKeys(section: Section, place: Path, problem: Problem): void {
  const known: Readonly<Record<string, readonly string[]>> = {
    "": ["discovery", "haproxy", "default_servers", "keep_default_servers", "use_previous_backends"],
    discovery: ["method", ...ZOOKEEPERS.keys, ...DNS.keys],
    haproxy: ["port", "bind_address", "bind_options", "server_options", "listen", "frontend", "backend"],
  };
  for (const [map, keys] of Object.entries(known)) {
    const at = map === "" ? [] : [map];
    for (const key of section.source.keys([...place, ...at])) {
      const path = [...at, key];
      const name = path.join(".");
      const same = AS_MESHCTL_DOES.get(name);
      if (keys.includes(key)) continue;
      if (same !== undefined) {
        if (section.raw([...place, ...path]) !== same.value) problem(path, same.otherwise);
      } else if (ELSEWHERE.has(name)) problem(path, ELSEWHERE.get(name)!, "key");
      else section.unknownKey([...place, ...path], keys);
    }
  }
}

/** Keys of `discovery` that one method has. */
const ZOOKEEPERS = { method: "zookeeper", keys: ["path", "hosts", "label_filters"] };
const DNS = { method: "dns", keys: ["servers", "nameserver", "check_interval"] };

/** The path in ZooKeeper, or the names in DNS; neither when the servers are fixed. Undefined where that was not understood. */
function readDiscovery(
  section: Section,
  place: Path,
  members: readonly string[],
  hasServers: boolean,
  problem: Problem,
): Pick<ServiceEntry, "path" | "dns"> | undefined {
  const method = section.raw([...place, "discovery", "method"]);
  const others = method === "dns" ? ZOOKEEPERS : DNS;
  for (const key of others.keys)
    if (section.raw([...place, "discovery", key]) !== undefined)
      problem(["discovery", key], `belongs to method ${others.method}`, "key");
  if (method === "base") {
    if (!hasServers) problem([], "method base needs default_servers, the servers there are", "key");
    return {};
  }
  if (method === "dns") {
    const dns = readDns(section, [...place, "discovery"], problem);
    return dns && { dns };
  }
  if (method !== "zookeeper") {
    problem(
      ["discovery", "method"],
      method === undefined
        ? "expected method: zookeeper, dns, or base for default_servers alone"
        : "only zookeeper and dns are translated, and base for default_servers alone; for other servers write the service under mesh.services with 'servers'",
    );
    return {};
  }
  const hosts = section.checkOptional([...place, "discovery", "hosts"], z.array(z.string()));
  if (members.length > 0) {
    for (const [index, host] of (hosts ?? []).entries()) {
      if (members.includes(host)) continue;
      problem(
        ["discovery", "hosts", index],
        `is no member of mesh.ensemble (${members.join(", ")}), which every service is looked up in`,
      );
    }
  }
  const path = section.raw([...place, "discovery", "path"]);
  if (path === undefined)
    problem(["discovery"], "expected 'path', a ZooKeeper path like /services/user-api", "key");
  else if (section.check([...place, "discovery", "path"], znode) === undefined) return undefined;
  return typeof path === "string" ? { path } : {};
}

/** Synapse's `servers` of method dns, its `nameserver` and `check_interval`, which is seconds. */
function readDns(section: Section, place: Path, problem: Problem): ServiceEntry["dns"] {
  const servers = section.check([...place, "servers"], dnsServers);
  const nameserver = section.checkOptional([...place, "nameserver"], dnsEntry.shape.nameserver);
  const interval = dnsEntry.shape.interval.safeParse(
    checkInterval(section.raw([...place, "check_interval"])),
  );
  if (!interval.success) problem(["discovery", "check_interval"], "expected seconds, from 1 to 30");
  if (servers === undefined || !interval.success) return undefined;
  return {
    names: servers.map(({ host, port: own }) => `${host}:${own}`),
    nameserver,
    interval: interval.data,
  };
}

/** Synapse's number of seconds between two questions as a text with its unit: "30s". Anything else as it is. */
export function checkInterval(seconds: unknown): unknown {
  if (seconds == null) return "30s";
  if (typeof seconds !== "number") return seconds;
  return Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`;
}

/** Synapse's `label_filters` as they are. */
function readLabels(
  section: Section,
  path: Path,
  problem: (at: Path, message: string) => void,
): ServiceEntry["labels"] {
  const filters = section.checkOptional(path, labelFilters);
  for (const [at, { label, condition }] of (filters ?? []).entries()) {
    const twin = filters!.slice(0, at).find((each) => each.label === label);
    if (twin !== undefined && (condition === "equals" || twin.condition === "equals"))
      problem([at], `'${label}' has a filter already, and one says all that it is to be`);
  }
  return filters;
}

interface Lines {
  readonly mode: ServiceEntry["mode"];
  readonly balance: string;
  readonly http: Check["http"];
  readonly host?: string | undefined;
  /** A check that is no request. */
  readonly check?: Pick<Check, "mysql" | "redis">;
  readonly timeout: Partial<NonNullable<ServiceEntry["timeout"]>>;
  readonly maxconn?: number;
  readonly retries?: number;
  readonly lines: { readonly frontend: readonly string[]; readonly backend: readonly string[] };
  /** Set by a line that only a service of HTTP has. */
  readonly speaksHttp?: true;
}

/** What the lines of HAProxy's sections say, as far as a service of the mesh can say it. */
function readLines(section: Section, place: Path, problem: Problem): Lines {
  let lines: Lines = {
    mode: undefined,
    balance: "roundrobin",
    http: false,
    timeout: {},
    lines: { frontend: [], backend: [] },
  };
  for (const key of ["listen", "frontend", "backend"]) {
    const path = ["haproxy", key];
    const written = section.checkOptional([...place, ...path], z.array(z.string())) ?? [];
    for (const [index, line] of written.entries()) {
      const found = readLine(wordsOf(line).join(" "), key);
      if (typeof found === "string") problem([...path, index], found);
      else lines = joined(lines, found);
    }
  }
  if (lines.mode === undefined && lines.speaksHttp) return { ...lines, mode: "http" };
  return lines;
}

function joined(all: Lines, more: Partial<Lines>): Lines {
  return {
    ...all,
    ...more,
    timeout: { ...all.timeout, ...more.timeout },
    lines: {
      frontend: [...all.lines.frontend, ...(more.lines?.frontend ?? [])],
      backend: [...all.lines.backend, ...(more.lines?.backend ?? [])],
    },
  };
}

/** What one line says, or why a service cannot say it. `key` is Synapse's list that it stands in. */
function readLine(line: string, key: string): Partial<Lines> | string {
  const [directive = "", ...words] = line.split(" ");
  const rest = words.join(" ");
  if (directive === "mode") {
    const mode = modes.safeParse(rest);
    return mode.success && mode.data !== undefined ? { mode: mode.data } : "expected mode http or mode tcp";
  }
  if (directive === "balance") {
    const algorithm = balance.safeParse(rest);
    return algorithm.success ? { balance: algorithm.data } : "expected an algorithm like balance roundrobin";
  }
  // Only HTTP has requests to write down.
  if (line === "option httplog") return { speaksHttp: true };
  if (line === "option tcplog") return {};
  if (line === "option redispatch") return {};
  if (words[0] === "httpchk" && directive === "option") {
    const [method, path, version, ...more] = words.slice(1);
    // One word is the path (https://docs.haproxy.org/2.6/configuration.html#4.2-option%20httpchk).
    const request = path === undefined ? `OPTIONS ${method ?? "/"}` : `${method} ${path}`;
    const http = httpRequest.safeParse(request);
    if (!http.success) return "expected a request like option httpchk GET /health";
    // Without a version HAProxy asks by HTTP/1.0.
    if (version === undefined || version === "HTTP/1.0") return { http: http.data };
    const [, host] = /^HTTP\/1\.1\\r\\n[Hh]ost:(?:\\ )?([\w.:-]+)$/.exec(version) ?? [];
    return host !== undefined && more.length === 0
      ? { http: http.data, host }
      : "only the method, the path and the Host of a check are translated: option httpchk GET /health HTTP/1.1\\r\\nHost:\\ name";
  }
  if (directive === "timeout" && SIDES.includes(words[0]!)) {
    const time = durationMs.safeParse(words[1]);
    return time.success ? { timeout: { [words[0]!]: time.data } } : "expected a time like timeout server 10s";
  }
  if (directive === "maxconn" || directive === "retries") {
    const number = serviceEntry.shape[directive].safeParse(Number(rest));
    return number.success ? { [directive]: number.data } : `expected a number behind ${directive}`;
  }
  if (line === "option redis-check") return { check: { redis: true } };
  return furtherLine(line, key);
}

const SIDES = ["connect", "client", "server", "queue", "tunnel"];

/** Directives that make no sense in one of the two sections that Synapse makes of `listen` (its SECTION_FIELDS). */
export const FRONTEND_ONLY =
  /^(no )?(backlog|capture|declare|error-log-format|log-format|monitor|rate-limit|tcp-request (connection|session)|unique-id|use_backend|timeout client-fin|option (accept-invalid-http-request|clitcpka|contstats|dontlog|http-ignore-probes|http-use-proxy-header|idle-close-on-response|log-separate-errors|logasap|socket-stats|tcp-smart-accept))/;
export const BACKEND_ONLY =
  /^(no )?(default-server|dispatch|external-check|fullconn|hash-(balance-factor|type)|load-server-state-from-file|server-state-file-name|http-check|http-reuse|http-send-name-header|persist|source|stick|tcp-check|tcp-response|timeout (check|server-fin)|use-server|option (httpchk|abortonclose|accept-invalid-http-response|allbackups|checkcache|external-check|[a-z]+-check|log-health-checks|persist|prefer-last-server|srvtcpka|ssl-hello-chk|smtpchk|tcp-smart-connect|transparent))/;
const ONLY_HTTP =
  /^(http-request|http-response|reqadd|rsp|req[a-z]*rep|capture|option (forwardfor|http|forceclose))/;

/** A line that has no key of its own, in the sections that Synapse would put it in. */
function furtherLine(line: string, key: string): Partial<Lines> | string {
  const isIn = {
    frontend: key === "frontend" || (key === "listen" && !BACKEND_ONLY.test(line)),
    backend: key === "backend" || (key === "listen" && !FRONTEND_ONLY.test(line)),
  };
  const taken: { frontend: string[]; backend: string[] } = { frontend: [], backend: [] };
  for (const each of ["frontend", "backend"] as const) {
    if (!isIn[each]) continue;
    const read = linesOf(each).safeParse([line]);
    if (!read.success) return read.error.issues[0]!.message;
    taken[each].push(...read.data);
  }
  return { lines: taken, ...(ONLY_HTTP.test(line) ? { speaksHttp: true as const } : {}) };
}

/** As a map, in which a word from a file finds nothing that every object has ("constructor"). */
function entriesOf<T = string>(record: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(record));
}
