import { createHash } from "node:crypto";
import type { HaproxyParameters } from "./haproxy-parameters.ts";
import type { Mesh, Service } from "./mesh.ts";

/** Where the worker answers `show info`; the group haproxy may, so that a watcher needs no root. */
export const ADMIN_SOCKET = "/run/haproxy/admin.sock";

/**
 * Everything in haproxy.cfg but the servers that a registry tells and the `description` line.
 * Lines have no indentation and only say what HAProxy 1.5 understands.
 */
export interface HaproxySettings {
  readonly global: readonly string[];
  readonly defaults: readonly string[];
  readonly services: readonly ServiceSettings[];
}

/** One service: `frontend NAME` and `backend NAME`. */
export interface ServiceSettings {
  readonly name: string;
  readonly bind: string;
  readonly port: number;
  /** Lines of the front end but `bind` and `default_backend`, which follow from the other fields. */
  readonly frontend: readonly string[];
  /** Lines of the back end but its servers. */
  readonly backend: readonly string[];
  /** Options of every server line, for example "check inter 2000 rise 2 fall 3". */
  readonly serverOptions: string;
  /** Whether a registry tells the servers. Then `servers` are only those to fall back on. */
  readonly discovered: boolean;
  readonly servers: readonly { readonly name: string; readonly host: string; readonly port: number }[];
}

export function haproxySettings(parameters: HaproxyParameters, mesh: Mesh): HaproxySettings {
  return {
    global: [
      `maxconn ${parameters.maxconn}`,
      "user haproxy",
      "group haproxy",
      // Debian's unit mounts /dev/log into this directory: with another chroot the worker's logs are lost.
      "chroot /var/lib/haproxy",
      "log /dev/log local0",
      `stats socket ${ADMIN_SOCKET} mode 660 level admin group haproxy`,
      "stats timeout 30s",
    ],
    defaults: [
      "mode http",
      "log global",
      "option httplog",
      "option dontlognull",
      "option redispatch",
      `retries ${parameters.retries}`,
      // Before 2.0 a front end takes 2000 connections at most unless it is told otherwise.
      `maxconn ${parameters.maxconn}`,
      `timeout connect ${parameters.timeout_connect}ms`,
      `timeout client ${parameters.timeout_client}ms`,
      `timeout server ${parameters.timeout_server}ms`,
    ],
    services: mesh.services.map(serviceSettings),
  };
}

function serviceSettings(service: Service): ServiceSettings {
  const { http, interMs, rise, fall } = service.check;
  return {
    name: service.name,
    bind: service.bind,
    port: service.port,
    // `option httplog` of the defaults makes no sense in a TCP front end, and HAProxy warns of it.
    frontend: [`mode ${service.mode}`, ...(service.mode === "tcp" ? ["option tcplog"] : [])],
    backend: [
      `mode ${service.mode}`,
      `balance ${service.balance}`,
      ...(http === undefined ? [] : [`option httpchk ${http.method} ${http.path}`]),
    ],
    serverOptions: `check inter ${interMs} rise ${rise} fall ${fall}`,
    discovered: service.path !== undefined,
    servers: service.servers.map(({ name, host, port }) => ({ name, host, port })),
  };
}

/** sha256, in hex, of what the settings mean: the same settings give the same digest on every host. */
export function settingsDigest(settings: HaproxySettings): string {
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
      service.servers.map(({ name, host, port }) => [name, host, port]),
    ]),
  ]);
  return createHash("sha256").update(canonical).digest("hex");
}

/**
 * Text for `description` in `global`. HAProxy gives it back in `show info`, so a running worker tells by itself
 * which settings it was started with (https://docs.haproxy.org/2.6/configuration.html#3.1-description).
 */
export function descriptionOf(settings: HaproxySettings): string {
  return `meshctl-${settingsDigest(settings)}`;
}
