import { createHash } from "node:crypto";
import { isFollowed, type Mesh, pathOf, type Service } from "../contract/mesh.ts";
import { onceEach } from "../once-each.ts";
import { CANARY } from "./canary.ts";
import { type PanicSettings, panicSettings } from "./panic.ts";
import type { HaproxyParameters } from "./parameters.ts";

/** The directory that the workers are shut into. */
export const CHROOT = "/var/lib/haproxy";
/** Whom the worker becomes, of the package. */
export const PROCESS_USER = "haproxy";
/** Where the worker answers `show info`; the group haproxy may, so that a watcher needs no root. */
export const ADMIN_SOCKET = "/run/haproxy/admin.sock";

/** A request that carries it with a server's name gets to that server, also when its weight keeps all others away. */
export const PROBE_COOKIE = "meshctl-probe";

/**
 * Everything in haproxy.cfg but the servers that a registry tells and the `description` line.
 * Lines have no indentation and only say what HAProxy 1.5 understands, but for `retry_on`, which asks for 2.0,
 * `hard_stop_after`, for 1.8, and the Host of a check, for 2.2: what 1.5 has for it 3.2 refuses.
 */
export interface HaproxySettings {
  readonly global: readonly string[];
  readonly defaults: readonly string[];
  /** Sections beside the services, "listen stats" for one, between `defaults` and the first service. */
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
  readonly services: readonly ServiceSettings[];
}

/** One service: `frontend NAME` and `backend NAME`. */
export interface ServiceSettings {
  readonly name: string;
  readonly mode: Service["mode"];
  readonly bind: string;
  readonly port: number;
  readonly bindOptions: string | undefined;
  /** What a health check asks of a server; undefined where it connects and no more. */
  readonly check: Service["check"]["http"];
  /** Lines of the front end but the first `bind` and `default_backend`, which follow from the other fields. */
  readonly frontend: readonly string[];
  /** Lines of the back end but its servers. */
  readonly backend: readonly string[];
  /** Options of every server line, for example "check inter 2000 rise 2 fall 3". */
  readonly serverOptions: string;
  /** What is done while too few servers are up; undefined where nothing is. Its rules stand in `frontend`, too. */
  readonly panic?: PanicSettings | undefined;
  /** How long a server may be dead before its checks tell, in milliseconds; 0 without checks. */
  readonly downAfterMs: number;
  /** Whether a registry tells the servers. Then `servers` are only those to fall back on. */
  readonly discovered: boolean;
  readonly servers: Service["servers"];
}

export function haproxySettings(parameters: HaproxyParameters, mesh: Mesh): HaproxySettings {
  const retriesRequests = parameters.retry_on.length > 0;
  return {
    global: [
      `maxconn ${parameters.maxconn}`,
      `user ${PROCESS_USER}`,
      "group haproxy",
      // Debian's unit mounts /dev/log into this directory: with another chroot the worker's logs are lost.
      `chroot ${CHROOT}`,
      "log /dev/log local0",
      `stats socket ${ADMIN_SOCKET} mode 660 level admin group haproxy`,
      "stats timeout 30s",
      ...(parameters.hard_stop_after === undefined
        ? []
        : [`hard-stop-after ${parameters.hard_stop_after}ms`]),
      ...parameters.global,
    ],
    defaults: [
      "mode http",
      "log global",
      "option httplog",
      "option dontlognull",
      "option redispatch",
      `retries ${parameters.retries}`,
      // A list replaces HAProxy's own, which is failed connections: without these a dead server costs requests.
      ...(retriesRequests
        ? [`retry-on ${[...new Set(["conn-failure", ...parameters.retry_on])].join(" ")}`]
        : []),
      // Before 2.0 a front end takes 2000 connections at most unless it is told otherwise.
      `maxconn ${parameters.maxconn}`,
      `timeout connect ${parameters.timeout_connect}ms`,
      `timeout client ${parameters.timeout_client}ms`,
      `timeout server ${parameters.timeout_server}ms`,
      ...parameters.defaults,
    ],
    sections: [
      ...Object.entries(parameters.sections).map(([title, lines]) => ({ title, lines })),
      ...statisticsPage(parameters),
    ],
    services: mesh.services.map((service) =>
      serviceSettings(service, retriesRequests, parameters.timeout_tcp),
    ),
  };
}

function statisticsPage({ stats }: HaproxyParameters): HaproxySettings["sections"] {
  if (stats === undefined) return [];
  const lines = [
    `bind ${stats.address}:${stats.port}`,
    "mode http",
    "stats enable",
    `stats uri ${stats.uri}`,
  ];
  return [{ title: STATISTICS, lines }];
}

/** The section of `stats`. */
export const STATISTICS = "listen meshctl-stats";

export interface Bound {
  readonly address: string;
  readonly port: number;
  /** "user-api front end", "listen stats". */
  readonly what: string;
  /** Of the haproxy.cfg's section that binds it. */
  readonly kind: string;
  readonly name: string;
  /** The line's first words, as the section has it. */
  readonly at: string;
}

/** Every TCP address that HAProxy is to listen on. Of those in lines only IP addresses with one port are understood. */
export function boundAddresses({ services, sections }: HaproxySettings): readonly Bound[] {
  const inLines = (lines: readonly string[], of: Pick<Bound, "what" | "kind" | "name">) =>
    lines.flatMap((line): Bound[] => {
      const [, list = ""] = /^bind (\S+)/.exec(line) ?? [];
      return list.split(",").flatMap((at): Bound[] => {
        const [, address = "", port] = /^(\*|[0-9.]+|\[?[0-9a-fA-F:]+\]?|):(\d+)$/.exec(at) ?? [];
        if (port === undefined) return [];
        const bare = address.replace(/^\[|\]$/g, "");
        return [{ address: bare === "" || bare === "*" ? "0.0.0.0" : bare, port: Number(port), at, ...of }];
      });
    });
  return [
    ...services.flatMap(({ name, bind, port, frontend }): Bound[] => {
      const of = { kind: "frontend", name };
      const also = inLines(frontend, { ...of, what: `${name} front end` });
      return [
        { ...of, address: bind, port, what: `${name} front end`, at: `${bind}:${port}` },
        ...also.map((each) => ({ ...each, what: `${name} front end ${each.at}` })),
      ];
    }),
    ...sections.flatMap(({ title, lines }) => {
      const [kind = "", name = ""] = title.split(" ");
      return inLines(lines, { kind, name, what: title }).map((each) => ({
        ...each,
        what: `${title} ${each.at}`,
      }));
    }),
  ];
}

/**
 * Else any client, and through an application that forwards its users' cookies anybody outside, could ask for a server
 * that is drained. The cookie is obeyed only of a request that has no other and asks for the canary by it, as `meshctl
 * probe` does: one header, nothing before, between and behind, for what one parser of cookies overlooks another obeys.
 */
const ONLY_CANARY =
  "ignore-persist unless { req.fhdr_cnt(cookie) eq 1 } " +
  `{ req.fhdr(cookie) -m reg ^${PROBE_COOKIE}=${CANARY}_[0-9A-Za-z.:_-]+$ }`;

function serviceSettings(service: Service, retriesRequests: boolean, timeoutTcpMs: number): ServiceSettings {
  const isTcp = service.mode === "tcp";
  const { timeouts = {}, lines } = service;
  const silence = isTcp ? timeoutTcpMs : undefined;
  const backend = backendLines(service, retriesRequests, silence);
  const panic = panicSettings(service, backend);
  return {
    name: service.name,
    mode: service.mode,
    bind: service.bind,
    port: service.port,
    check: service.check.http,
    // `option httplog` of the defaults makes no sense in a TCP front end, and HAProxy warns of it.
    bindOptions: service.bindOptions,
    frontend: [
      ...(service.alsoBind ?? []).map((address) =>
        ["bind", `${address}:${service.port}`, service.bindOptions ?? ""].filter(Boolean).join(" "),
      ),
      `mode ${service.mode}`,
      // Whoever vanished without a word is found out by the kernel: nothing else ends a connection that may be silent.
      ...(isTcp ? ["option tcplog", "option clitcpka"] : []),
      ...(service.maxconn === undefined ? [] : [`maxconn ${service.maxconn}`]),
      ...timeout("client", timeouts.client ?? silence),
      ...(lines?.frontend ?? []),
      // Behind those of the inventory, whose own back ends go first.
      ...(panic?.rules ?? []),
    ],
    backend,
    serverOptions: [
      ...(service.check.off ? [] : [checkOptions(service.check)]),
      ...(service.check.off || service.check.port === undefined ? [] : [`port ${service.check.port}`]),
      ...(lines?.server ? [lines.server] : []),
    ].join(" "),
    ...(panic === undefined ? {} : { panic }),
    downAfterMs: downAfterMs(service.check),
    discovered: isFollowed(service),
    servers: service.servers.map(({ name, host, port, options }) => ({
      name,
      host,
      port,
      ...(options === undefined ? {} : { options }),
    })),
  };
}

/** The Host of a check's request, as HAProxy 2.2 and later have it. */
export function sentHost(host: string): string {
  return `http-check send hdr Host ${host}`;
}

function timeout(side: string, ms: number | undefined): readonly string[] {
  return ms === undefined ? [] : [`timeout ${side} ${ms}ms`];
}

/** `silenceMs`: how long a server may be silent where the service does not say so. */
function backendLines(
  service: Service,
  retriesRequests: boolean,
  silenceMs: number | undefined,
): readonly string[] {
  const { http, httpHost, failFast } = service.check;
  const { timeouts = {}, lines } = service;
  const version = httpHost === undefined ? "" : " HTTP/1.1";
  return [
    `mode ${service.mode}`,
    `balance ${service.balance}`,
    // HAProxy sets no cookie by this; it only obeys one that asks for a server, which `meshctl probe` sends.
    ...(pathOf(service) !== undefined && service.mode === "http"
      ? [`cookie ${PROBE_COOKIE}`, ONLY_CANARY]
      : []),
    ...(service.mode === "tcp" ? ["option srvtcpka"] : []),
    ...timeout("connect", timeouts.connect),
    ...timeout("server", timeouts.server ?? silenceMs),
    ...timeout("queue", timeouts.queue),
    ...timeout("tunnel", timeouts.tunnel),
    ...(service.retries === undefined ? [] : [`retries ${service.retries}`]),
    ...(http === undefined ? [] : [`option httpchk ${http.method} ${http.path}${version}`]),
    // HAProxy 1.5 takes a Host behind the version, and 3.2 does not any more.
    ...(httpHost === undefined ? [] : [sentHost(httpHost)]),
    ...(service.check.lines ?? []),
    // Without it a check may take `inter` to fail, and a frozen server is found out only after seconds.
    ...(failFast ? [`timeout check ${FAIL_FAST.checkTimeoutMs}ms`] : []),
    // A request that was sent may have been acted upon; only GET and HEAD may be sent a second time.
    ...(retriesRequests && service.mode === "http" ? ["http-request disable-l7-retry unless METH_GET"] : []),
    ...(lines?.backend ?? []),
  ];
}

/**
 * As measured under open-loop load: a frozen server costs a second of requests, where the usual check costs ten. It is
 * out after at most inter + 2 × timeout + fastinter, 0.95 s; one that vanished after as many connections as the limit
 * says, each of which takes `timeout connect` to fail. A server that answers nothing for 600 ms may be taken out.
 */
const FAIL_FAST = { interMs: 350, fastinterMs: 100, fall: 2, checkTimeoutMs: 250, errorLimit: 3 };

/** Options of a server line. Failing fast, a check may be faster than the measured one, but no slower. */
function checkOptions({ interMs, rise, fall, failFast }: Service["check"]): string {
  if (!failFast) return `check inter ${interMs} rise ${rise} fall ${fall}`;
  const inter = Math.min(interMs, FAIL_FAST.interMs);
  const fastinter = Math.min(inter, FAIL_FAST.fastinterMs);
  // Connections alone are observed: an application's own status must never take its server out.
  return (
    `check inter ${inter} fastinter ${fastinter} rise ${rise} fall ${Math.min(fall, FAIL_FAST.fall)} ` +
    `observe layer4 error-limit ${FAIL_FAST.errorLimit} on-error mark-down`
  );
}

/** A check may begin as late as its server dies, and each takes its time to fail. */
function downAfterMs({ off, interMs, fall, failFast }: Service["check"]): number {
  if (off) return 0;
  if (!failFast) return interMs * (fall + 1);
  const inter = Math.min(interMs, FAIL_FAST.interMs);
  const failed = Math.min(fall, FAIL_FAST.fall);
  return inter + failed * FAIL_FAST.checkTimeoutMs + (failed - 1) * FAIL_FAST.fastinterMs;
}

/** sha256, in hex, of what the settings mean: the same settings give the same digest on every host. */
export const settingsDigest = onceEach((settings: HaproxySettings): string => {
  const canonical = JSON.stringify([
    settings.global,
    settings.defaults,
    settings.services.map((service) => [
      service.name,
      service.bind,
      service.port,
      service.frontend,
      service.backend,
      service.serverOptions,
      service.discovered,
      service.servers.map(({ name, host, port, options }) => [
        name,
        host,
        port,
        ...(options ? [options] : []),
      ]),
      // Nothing where there is none: another digest would reload a fleet.
      ...(service.bindOptions === undefined ? [] : [service.bindOptions]),
      ...(service.panic === undefined ? [] : [service.panic.backend]),
    ]),
    ...(settings.sections.length === 0 ? [] : [settings.sections.map(({ title, lines }) => [title, lines])]),
  ]);
  return createHash("sha256").update(canonical).digest("hex");
});

/**
 * Text for `description` in `global`. HAProxy gives it back in `show info`, so a running worker tells by itself
 * which settings it was started with (https://docs.haproxy.org/2.6/configuration.html#3.1-description).
 */
export function descriptionOf(settings: HaproxySettings): string {
  return `meshctl-${settingsDigest(settings)}`;
}
