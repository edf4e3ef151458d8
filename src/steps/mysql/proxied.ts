import { isIP } from "node:net";
import type { HostView, InventoryView } from "../../contract/inventory-view.ts";
import type { Service } from "../../contract/mesh.ts";
import { registrationsOf } from "../../inventory/registrations.ts";
import { isLoopback, isSameIp } from "../../ip.ts";
import type { Server } from "./server.ts";

/** Where a service of the mesh has a server on this host that speaks no HTTP. */
export interface Proxied {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** Whether HAProxy's check connects without a word of MySQL's. */
  readonly isBare: boolean;
}

/** Fixed servers of the mesh that are this host, and what it registers. */
export function proxiedOn(host: HostView, { mesh }: InventoryView): readonly Proxied[] {
  return mesh.services
    .filter(({ mode }) => mode === "tcp")
    .flatMap((service) => {
      const fixed = service.servers.filter((server) => [host.address, host.name].includes(server.host));
      const registered = registrationsOf(host)[service.name] ?? [];
      return [...fixed, ...registered].map(({ port }): Proxied => {
        return { service: service.name, address: host.address, port, isBare: isBare(service, port) };
      });
    });
}

/** A name of DNS that is behind a service that speaks no HTTP. */
export type Named = Omit<Proxied, "address"> & { readonly host: string };

/** What proxies go to by names of DNS, which may lead to any host. */
export function namedIn({ mesh }: InventoryView): readonly Named[] {
  return mesh.services.flatMap((service) => {
    const { name, mode, discovery } = service;
    if (mode !== "tcp" || discovery.by !== "dns") return [];
    return discovery.names.map(({ host, port }) => ({
      service: name,
      host,
      port,
      isBare: isBare(service, port),
    }));
  });
}

/** Those of them that lead to this host, as it resolves them itself. `addresses` are the host's. */
export function leadingHere(
  named: readonly Named[],
  leadTo: ReadonlyMap<string, readonly string[]>,
  addresses: readonly string[],
): readonly Proxied[] {
  return named.flatMap(({ host, ...rest }) => {
    const address = leadTo
      .get(host)
      ?.find((each) => !isLoopback(each) && addresses.some((own) => isSameIp(own, each)));
    return address === undefined ? [] : [{ ...rest, address }];
  });
}

function isBare({ check, lines }: Service, port: number): boolean {
  if (check.off || check.http !== undefined || (check.port ?? port) !== port) return false;
  return ![...(check.lines ?? []), ...(lines?.backend ?? [])].some((line) =>
    line.startsWith("option mysql-check"),
  );
}

/** A check is made every second or so: beyond this the proxies would be let in for weeks all the same. */
const MANY_ERRORS = 10_000_000;

/** In what proxies do not get to the server that runs, or soon will not. `live`: its variables. */
export function proxiedWarnings(
  { title, ports }: Server,
  live: ReadonlyMap<string, string> | undefined,
  proxied: readonly Proxied[],
): readonly string[] {
  if (live === undefined) return [];
  const said = Number(live.get("port") ?? 0);
  // 0 is what a server tells that listens on no address.
  const isSilent = live.get("skip_networking") === "ON" || said === 0;
  const own = said === 0 ? ports[0]!.port : said;
  const bound = live.get("bind_address");
  const errors = Number(live.get("max_connect_errors") ?? Number.NaN);
  return proxied
    .filter(({ port }) => port === own)
    .flatMap(({ service, address, port, isBare: bare }) => {
      const at = `proxies have it behind ${service}, at ${address}:${port}`;
      if (live.has("skip_networking") && isSilent)
        return [`${at}, and ${title} listens on no address (skip_networking): no proxy reaches it`];
      if (bound !== undefined && !covers(bound, address))
        return [
          `${at}, and ${title} listens on ${bound} alone: no proxy reaches it. Set bind-address=${address} in an option file of yours and restart it`,
        ];
      const isCounted = live.get("skip_name_resolve") !== "ON" && live.get("host_cache_size") !== "0";
      if (!bare || !(errors < MANY_ERRORS) || !isCounted) return [];
      return [
        `${at}, and check it by bare connections, which ${title} counts as failed logins: after ${errors} in a row (max_connect_errors) it refuses every connection of that proxy. Say check: { mysql: USER } for ${service}, a user without password and rights`,
      ];
    });
}

/** A name may stand for any address, and is not judged. */
function covers(bound: string, address: string): boolean {
  return bound.split(",").some((each) => {
    const at = each.trim();
    if (at === "localhost") return false;
    if (["", "*", "::"].includes(at) || isIP(at) === 0 || isSameIp(at, address)) return true;
    return at === "0.0.0.0" && isIP(address) === 4;
  });
}
