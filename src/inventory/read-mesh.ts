import { isIPv6 } from "node:net";
import type * as z from "zod";
import type { HostName } from "../contract/inventory-view.ts";
import type { Discovery, Mesh, Service } from "../contract/mesh.ts";
import { isSameIp, isWildcard } from "../ip.ts";
import { dnsNames } from "./dns-names.ts";
import { shownRules } from "./labels.ts";
import { modeOf } from "./mode.ts";
import { didYouMeanGroup } from "./nearest-name.ts";
import type { Path } from "./path.ts";
import { readFirewall } from "./read-firewall.ts";
import type { GroupDraft } from "./read-groups.ts";
import type { HostDraft } from "./read-hosts.ts";
import { readServiceWatcher, PLACES as SYNAPSES_PLACES } from "./read-service-watcher.ts";
import {
  checkEntry,
  checkLines,
  meshNetworks,
  meshSection,
  type ServiceEntry,
  serviceEntry,
  share,
  zookeeperAuth,
  zookeeperPorts,
} from "./schema.ts";
import type { Section } from "./section.ts";

type Ports = z.output<typeof zookeeperPorts>;

/** A service, and where in the file its keys stand. */
interface ServiceDraft {
  readonly entry: ServiceEntry;
  readonly place: Path;
  at(key: "path" | "dns" | "port" | "servers" | "labels"): Path;
}
type Services = ReadonlyMap<string, ServiceDraft>;

/** `mesh:` joined with the groups it names and the members' ids. */
export function readMesh(
  section: Section,
  hosts: ReadonlyMap<HostName, HostDraft>,
  groups: ReadonlyMap<string, GroupDraft>,
): Mesh {
  section.checkOptional(["mesh"], meshSection);
  // What is wrong was said; the sound rest is still checked against each other.
  const ports = zookeeperPorts.safeParse(section.raw(["mesh", "zookeeper"])).data ?? zookeeperPorts.parse({});
  const auth = zookeeperAuth.safeParse(section.raw(["mesh", "zookeeper", "auth"])).data;
  const ensemble = groupNamed(section, ["mesh", "ensemble"], groups);
  const proxies = groupNamed(section, ["mesh", "proxies"], groups);
  const ids = readIds(section, hosts, groups);
  const addresses = ensemble.flatMap((host) => hosts.get(host)?.entry?.address ?? []);
  const members = addresses.map((address) => `${address}:${ports.client_port}`);
  const services = readServices(section, members);

  reportServices(section, services);
  reportSharedPaths(section, services);
  if ([...services.values()].some(({ entry }) => entry.path !== undefined))
    reportIpv6Members(section, ensemble, hosts);
  reportSharedPorts(section, services, ports);
  if (ensemble.some((host) => proxies.includes(host))) reportZookeeperPorts(section, services, ports);

  return {
    ensemble: ensemble.flatMap((host) => {
      const address = hosts.get(host)?.entry?.address;
      return address === undefined ? [] : [{ host, address, id: ids.get(host) }];
    }),
    zookeeper: {
      clientPort: ports.client_port,
      quorumPort: ports.quorum_port,
      electionPort: ports.election_port,
      ...(auth === undefined ? {} : { auth }),
    },
    proxies,
    networks: meshNetworks.safeParse(section.raw(["mesh", "networks"])).data ?? [],
    services: [...services].map(([name, { entry }]) =>
      toService(name, entry, {
        failFast: section.raw(["mesh", "fail_fast"]) !== false,
        panicPercent: share.safeParse(section.raw(["mesh", "panic_threshold"])).data ?? PANIC_PERCENT,
      }),
    ),
    firewall: readFirewall(section, ports, ensemble, hosts),
  };
}

/** The services that make sense, in file order; those in Synapse's own form follow. */
function readServices(section: Section, members: readonly string[]): Services {
  const services = new Map<string, ServiceDraft>();
  for (const name of section.source.keys(["mesh", "services"])) {
    const place = ["mesh", "services", name];
    const entry = section.check(place, serviceEntry);
    if (entry !== undefined) services.set(name, { entry, place, at: (key) => [...place, key] });
  }
  for (const name of section.source.keys(["mesh", "service_watcher"])) {
    const place = ["mesh", "service_watcher", name];
    const twin = services.get(name);
    if (twin !== undefined) {
      const there = section.placeOf(twin.place);
      section.problem(place, `'${name}' is a service already (${there})`, { at: "key" });
      continue;
    }
    const entry = readServiceWatcher(section, place, members);
    if (entry !== undefined)
      services.set(name, { entry, place, at: (key) => [...place, ...SYNAPSES_PLACES[key]] });
  }
  return services;
}

function groupNamed(
  section: Section,
  path: Path,
  groups: ReadonlyMap<string, GroupDraft>,
): readonly HostName[] {
  const name = section.raw(path);
  if (typeof name !== "string") return [];
  const group = groups.get(name);
  if (group === undefined)
    section.problem(
      path,
      `no group is named '${name}'${didYouMeanGroup(name, groups.keys(), groups.keys())}`,
    );
  else if (group.hosts.length === 0 && !section.hasProblem(["groups", name])) {
    section.problem(path, `group '${name}' (${section.placeOf(["groups", name])}) holds no host`, {
      hint: `for example \`${name}: [kvm-01, kvm-02, kvm-03]\``,
    });
  }
  return group?.hosts ?? [];
}

/** Members' ids as their hosts state them. An id belongs to one host: a group that gives one would give it to many. */
function readIds(
  section: Section,
  hosts: ReadonlyMap<HostName, HostDraft>,
  groups: ReadonlyMap<string, GroupDraft>,
): ReadonlyMap<HostName, number> {
  for (const { name } of groups.values()) {
    const path = ["groups", name, "zookeeper", "id"];
    if (section.raw(path) !== undefined) {
      section.problem(path, "an id belongs to one member: state it at the host", {
        at: "key",
        hint: "for example `kvm-01: { address: 10.0.0.1, zookeeper: { id: 1 } }` in `hosts:`",
      });
    }
  }
  const ids = new Map<HostName, number>();
  const owners = new Map<number, HostName>();
  for (const { name, layers } of hosts.values()) {
    const id = layers.get("zookeeper")?.values.id;
    if (id === undefined) continue;
    const path = ["hosts", name, "zookeeper", "id"];
    if (typeof id !== "number" || !Number.isInteger(id) || id < 1 || id > 255) {
      const found = section.source.found(path);
      section.problem(
        path,
        `expected 1–255, found ${found}${/^'\d+'$/.test(found) ? ": write it without quotes" : ""}`,
      );
      continue;
    }
    const owner = owners.get(id);
    if (owner === undefined) owners.set(id, name);
    else {
      const there = section.placeOf(["hosts", owner, "zookeeper", "id"]);
      section.problem(path, `${id} is the id of '${owner}' already (${there})`, {
        hint: "each member has an id of its own, from 1 to 255",
      });
    }
    ids.set(name, id);
  }
  return ids;
}

/** Probes and canary speak to ZooKeeper over IPv4 sockets: nothing that such an ensemble says could be proved. */
function reportIpv6Members(
  section: Section,
  ensemble: readonly HostName[],
  hosts: ReadonlyMap<HostName, HostDraft>,
): void {
  for (const host of ensemble) {
    const address = hosts.get(host)?.entry?.address;
    if (address === undefined || !isIPv6(address)) continue;
    section.problem(
      ["hosts", host, "address"],
      `services with a path are followed over IPv4, and this member of mesh.ensemble has ${address}`,
    );
  }
}

function reportServices(section: Section, services: Services): void {
  if (services.size > 0 && section.raw(["mesh", "proxies"]) === undefined) {
    const [first] = services.values();
    const place = first!.place.slice(0, -1);
    section.problem(place, "services need 'proxies', the group of hosts that offer them", {
      at: "key",
      hint: "for example `mesh: { proxies: proxies }`",
    });
  }
  for (const { entry, place, at } of services.values()) {
    const { path, servers, dns } = entry;
    if (path === undefined && servers === undefined && dns === undefined) {
      section.problem(
        place,
        "expected 'path' (ZooKeeper), 'dns' (names) or 'servers' (a fixed list), found none of them",
        {
          at: "key",
          hint: "`path: /services/NAME` where its backends register, `dns: { names: [api.example.com], port: 80 }`, or `servers: [{ host: 10.0.0.5, port: 80 }]`",
        },
      );
    }
    if (dns !== undefined) reportDns(section, { entry, place, at }, dns);
    if (path !== undefined && section.raw(["mesh", "ensemble"]) === undefined) {
      section.problem(at("path"), "a path needs 'mesh.ensemble', the group of ZooKeeper's hosts", {
        hint: "for example `mesh: { ensemble: zookeeper }`; without ZooKeeper a service has `servers`",
      });
    }
    for (const key of ["labels", "when_empty"] as const) {
      if (path === undefined && entry[key] !== undefined)
        section.problem([...place, key], `needs 'path', the backends that it is about`, {
          at: "key",
          hint: "for example `path: /services/NAME`; a service of fixed servers does without it",
        });
    }
    if (entry.keep_servers && (path === undefined || servers === undefined))
      section.problem([...place, "keep_servers"], "needs 'path' and 'servers', which are served together", {
        at: "key",
        hint: "a service of fixed servers alone has them anyway: leave it out",
      });
    const mode = modeOf(entry);
    if (typeof mode === "object") {
      const words =
        place[1] === "service_watcher"
          ? "expected the line 'mode http' or 'mode tcp' in haproxy.listen"
          : "expected 'mode: http' or 'mode: tcp'";
      section.problem(place, `${words}: ${mode.unknown}`, { at: "key" });
    }
    reportSharedServers(section, at("servers"), servers ?? []);
  }
}

/** What ZooKeeper keeps for itself. */
const ZOOKEEPERS_OWN = "/zookeeper";

/**
 * Two services with one path get each other's backends unless both pick theirs by labels; below a service's path every child
 * is taken for a backend of that service.
 */
function reportSharedPaths(section: Section, services: Services): void {
  const earlier: [name: string, path: string, place: Path, labels: ServiceEntry["labels"]][] = [];
  for (const [name, { entry, at }] of services) {
    const { path, labels } = entry;
    if (path === undefined) continue;
    const place = at("path");
    if (isBelow(path, ZOOKEEPERS_OWN) || path === ZOOKEEPERS_OWN)
      section.problem(place, `${ZOOKEEPERS_OWN} is ZooKeeper's own: expected another path`, {
        hint: "for example `path: /services/user-api`",
      });
    for (const [other, otherPath, otherPlace, otherLabels] of earlier) {
      const there = section.placeOf(otherPlace);
      if (path === otherPath) {
        if (labels === undefined || otherLabels === undefined)
          section.problem(
            place,
            `${path} is the path of '${other}' already (${there}): each would get the other's backends; they may share it where both pick theirs by 'labels'`,
          );
        else if (JSON.stringify(labels) === JSON.stringify(otherLabels))
          section.problem(
            at("labels"),
            `'${other}' picks the same backends of ${path} (${there}): ${shownRules(labels) || "all of them"}`,
          );
      } else if (isBelow(path, otherPath) || isBelow(otherPath, path)) {
        const [outer, inner] = isBelow(path, otherPath) ? [other, path] : [name, otherPath];
        section.problem(
          place,
          `${path} and ${otherPath}, the path of '${other}' (${there}), lie within each other: '${outer}' would take ${inner} for a backend`,
        );
      }
    }
    earlier.push([name, path, place, labels]);
  }
}

function isBelow(path: string, outer: string): boolean {
  return path.startsWith(`${outer}/`);
}

/** A service that DNS tells has no other servers: a name that is not told keeps those that it had. */
function reportDns(
  section: Section,
  { entry, place, at }: ServiceDraft,
  dns: NonNullable<ServiceEntry["dns"]>,
): void {
  for (const key of ["path", "servers"] as const)
    if (entry[key] !== undefined)
      section.problem(at(key), `stands beside 'dns', and a service has one of the two`, {
        at: "key",
        hint: `leave one of them out, or make a second service of \`${key}\``,
      });
  const isListed = new Set<string>();
  for (const [index, name] of dns.names.entries()) {
    const where = place[1] === "service_watcher" ? at("dns") : [...at("dns"), "names", index];
    const [found] = dnsNames({ names: [name], port: dns.port });
    if (found === undefined)
      section.problem(where, `${name} has no port`, {
        hint: "`port: 80` beside `names` counts for all that say none",
      });
    else if (found.port > 65_535) section.problem(where, `${found.port} is no port: expected 1–65535`);
    const key = found === undefined ? name : `${found.host}:${found.port}`;
    if (isListed.has(key))
      section.problem(where, `${key} is listed already`, { hint: "leave one of the two out" });
    isListed.add(key);
  }
}

function reportSharedServers(
  section: Section,
  place: Path,
  servers: NonNullable<ServiceEntry["servers"]>,
): void {
  const first = new Map<string, number>();
  for (const [index, server] of servers.entries()) {
    const name = serverName(server);
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else {
      const there = section.placeOf([...place, earlier]);
      section.problem([...place, index], `server '${name}' is listed already (${there})`, {
        hint: "leave one of the two out",
      });
    }
  }
}

function reportSharedPorts(section: Section, services: Services, zookeeper: Ports): void {
  const earlier: [name: string, draft: ServiceDraft][] = [];
  for (const [name, draft] of services) {
    const { entry, at } = draft;
    const twin = earlier.find(
      ([, other]) =>
        other.entry.port === entry.port &&
        bindsOf(other.entry).some((one) => bindsOf(entry).some((address) => overlap(one, address))),
    );
    if (twin !== undefined) {
      const there = section.placeOf(twin[1].at("port"));
      const others = bindsOf(twin[1].entry).join(", ");
      const where = bindsOf(entry).join(", ") === others ? "" : ` on ${others}`;
      section.problem(at("port"), `${entry.port} is the port of '${twin[0]}' already${where} (${there})`, {
        hint: "each service has a port of its own, or a `bind` of its own such as 127.0.0.2",
      });
    }
    earlier.push([name, draft]);
  }
  const keys = Object.keys(zookeeper) as (keyof typeof zookeeper)[];
  for (const [index, key] of keys.entries()) {
    const twin = keys.slice(0, index).find((other) => zookeeper[other] === zookeeper[key]);
    if (twin === undefined) continue;
    // One of the two may be a default; the other is what the file says.
    const [said, other] = section.raw(["mesh", "zookeeper", key]) === undefined ? [twin, key] : [key, twin];
    section.problem(
      ["mesh", "zookeeper", said],
      `${zookeeper[said]} is also ${other}${where(section, other)}`,
      { hint: "the three have ports of their own: 2181, 2888 and 3888 by default" },
    );
  }
}

function bindsOf({ bind }: ServiceEntry): readonly string[] {
  return typeof bind === "string" ? [bind] : bind;
}

/** Whether who listens on one address takes the other, too. 0.0.0.0 is every IPv4 address, :: every address. */
function overlap(one: string, other: string): boolean {
  const takes = (address: string, all: string) =>
    isWildcard(all) && (isIPv6(all) || !isIPv6(address) || isWildcard(address));
  return isSameIp(one, other) || takes(one, other) || takes(other, one);
}

/** A host that is member and proxy offers both on its addresses: one port for two purposes helps nobody. */
function reportZookeeperPorts(section: Section, services: Services, zookeeper: Ports): void {
  for (const { entry, at } of services.values()) {
    const { port } = entry;
    const key = (Object.keys(zookeeper) as (keyof typeof zookeeper)[]).find(
      (each) => zookeeper[each] === port,
    );
    if (key === undefined) continue;
    const message = `${port} is ZooKeeper's ${key}${where(section, key)}, and hosts are both member and proxy`;
    section.problem(at("port"), message);
  }
}

function where(section: Section, key: string): string {
  const path = ["mesh", "zookeeper", key];
  return section.raw(path) === undefined ? " by default" : ` (${section.placeOf(path)})`;
}

/** Half of them, as Envoy has it. */
const PANIC_PERCENT = 50;

/** `all` counts for what the service does not say itself. */
export function toService(
  name: string,
  entry: ServiceEntry,
  all: { readonly failFast: boolean; readonly panicPercent: number },
): Service {
  const found = modeOf(entry);
  const mode = typeof found === "object" ? "http" : found;
  const isOff = entry.check === false;
  const check = entry.check === false ? checkEntry.parse({ http: false }) : entry.check;
  const [method, path] = typeof check.http === "string" ? check.http.split(" ") : [];
  const http = method === undefined || path === undefined ? undefined : { method, path };
  // Without a word on the check, an HTTP service is asked as the seed's is; anything else is only connected to.
  const unsaid =
    check.http === undefined &&
    mode === "http" &&
    checkLines(check).length === 0 &&
    !check.tcp &&
    !hasCheckLine(entry);
  const [bind = "", ...alsoBind] = bindsOf(entry);
  return {
    name,
    mode,
    bind,
    ...(alsoBind.length === 0 ? {} : { alsoBind }),
    ...definedOf({
      bindOptions: entry.bind_options,
      timeouts: entry.timeout && definedOf(entry.timeout),
      maxconn: entry.maxconn,
      retries: entry.retries,
      lines: entry.lines && { ...entry.lines, server: entry.lines.server ?? "" },
    }),
    port: entry.port,
    discovery: discoveryOf(entry),
    servers: (entry.servers ?? []).map(({ backup, weight, ...server }) => {
      const options = [...(weight === undefined ? [] : [`weight ${weight}`]), ...(backup ? ["backup"] : [])];
      return {
        ...server,
        name: serverName(server),
        ...(options.length === 0 ? {} : { options: options.join(" ") }),
      };
    }),
    balance: entry.balance,
    panicPercent: entry.panic_threshold ?? all.panicPercent,
    serverOptionsAllowed: entry.server_options_allowed ?? [],
    check: {
      ...(isOff ? { off: true } : {}),
      http: unsaid ? { method: "GET", path: "/health" } : http,
      ...definedOf({ httpHost: check.host, port: check.port }),
      ...(checkLines(check).length === 0 ? {} : { lines: checkLines(check) }),
      interMs: check.inter,
      rise: check.rise,
      fall: check.fall,
      failFast: !isOff && (entry.fail_fast ?? all.failFast),
    },
  };
}

function discoveryOf({
  path,
  dns,
  labels,
  when_empty: whenEmpty,
  keep_servers: keeps,
}: ServiceEntry): Discovery {
  if (path !== undefined)
    return {
      by: "zookeeper",
      path,
      ...(labels === undefined || labels.length === 0 ? {} : { labels }),
      ...(whenEmpty === undefined ? {} : { whenEmpty }),
      ...(keeps ? { keepsServers: true as const } : {}),
    };
  if (dns === undefined) return { by: "inventory" };
  const { nameserver, interval } = dns;
  return {
    by: "dns",
    names: dnsNames(dns),
    ...(nameserver === undefined ? {} : { nameserver }),
    intervalMs: interval,
  };
}

/** Whether the service's own lines say how it is checked. */
function hasCheckLine({ lines }: ServiceEntry): boolean {
  return (lines?.backend ?? []).some((line) =>
    /^option (httpchk|[a-z]+-check|smtpchk|ssl-hello-chk)\b/.test(line),
  );
}

/** Without keys that hold nothing. */
function definedOf<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function serverName({ name, host, port }: NonNullable<ServiceEntry["servers"]>[number]): string {
  return name ?? `${host}_${port}`;
}
