import { createHash } from "node:crypto";
import { isInNetwork } from "../../address-range.ts";
import type { HostName, HostView, InventoryView } from "../../contract/inventory-view.ts";
import { type LabelRule, pathOf, type Service, type ZookeeperAuth } from "../../contract/mesh.ts";
import { optionsRefusal } from "../../haproxy/backend-policy.ts";
import { isPicked, labelsFor, shownRules } from "../../inventory/labels.ts";
import { didYouMean } from "../../inventory/nearest-name.ts";
import type { Registration } from "../../inventory/registrations.ts";
import { type Content, Secret } from "../../secret.ts";
import type { GemSource } from "../../smartstack/build.ts";
import { gemProblems, gemSource } from "../../smartstack/gem-parameters.ts";
import type { RegistrarParameters } from "./parameters.ts";

/** An instance of a service that a host runs, as it is to be registered. */
export interface OwnService {
  /** The service's. */
  readonly name: string;
  /** Nerve's name of it: the service's, with the port where the host runs several: "user-api:9001". */
  readonly key: string;
  /** The service's path in ZooKeeper. */
  readonly path: string;
  readonly port: number;
  readonly weight: number | undefined;
  /** What it says of itself in HAProxy, "weight 10 backup"; "" for nothing. */
  readonly options: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly check: {
    /** The host's mesh address and the instance's port, unless it is made elsewhere. */
    readonly host: string;
    readonly port: number;
    /** undefined: TCP only. */
    readonly httpPath: string | undefined;
    readonly interMs: number;
    readonly timeoutMs: number;
    readonly rise: number;
    readonly fall: number;
  };
}

export interface RegistrarDesired {
  /** What the servers are called: the host's name. */
  readonly instance: HostName;
  /** The host's mesh address. */
  readonly address: string;
  /** ADDRESS:PORT of every member of the ensemble. */
  readonly members: readonly string[];
  readonly clientPort: number;
  readonly services: readonly OwnService[];
  /** Services of the registry that the host is not to be registered for. */
  readonly others: readonly string[];
  /** Paths in ZooKeeper of every service of the mesh. */
  readonly paths: readonly string[];
  /** Units of a Nerve of before. */
  readonly replaces: readonly string[];
  /** What that called this host, where it is another name. */
  readonly formerly?: string | undefined;
  readonly gemSource: GemSource;
  /** What it registers with; undefined where everybody may register. */
  readonly auth?: Auth | undefined;
}

/** The account of `mesh.zookeeper.auth`, as the mesh's parts need it. */
interface Auth {
  readonly user: string;
  /** The text of the file that Nerve reads. */
  readonly file: Content;
  /** "USER:BASE64": what ZooKeeper makes of user and password. */
  readonly digest: Secret;
}

export function registrarDesired(
  parameters: RegistrarParameters,
  host: HostView,
  inventory: InventoryView,
): RegistrarDesired {
  const { ensemble, zookeeper, services } = inventory.mesh;
  return {
    instance: host.name,
    address: host.address,
    members: ensemble.map(({ address }) => `${address}:${zookeeper.clientPort}`),
    clientPort: zookeeper.clientPort,
    services: services.flatMap((service): OwnService[] => {
      const { name } = service;
      const path = pathOf(service);
      const instances = parameters.services[name];
      if (instances === undefined || path === undefined) return [];
      return instances.map((registration) => ({
        name,
        // No service has a colon in its name.
        key: instances.length === 1 ? name : `${name}:${registration.port}`,
        path,
        ...ownService(registration, service, host.address),
      }));
    }),
    others: services.flatMap((service) =>
      pathOf(service) === undefined || parameters.services[service.name] !== undefined ? [] : [service.name],
    ),
    paths: [...new Set(services.flatMap((service) => pathOf(service) ?? []))],
    replaces: parameters.replaces,
    ...(parameters.formerly === undefined ? {} : { formerly: parameters.formerly }),
    gemSource: gemSource(parameters, inventory),
    ...(zookeeper.auth === undefined ? {} : { auth: authOf(zookeeper.auth) }),
  };
}

export function authOf({ user, password }: ZookeeperAuth): Auth {
  const pair = `${user}:${password.reveal()}`;
  // DigestAuthenticationProvider.generateDigest.
  const digest = createHash("sha1").update(pair).digest("base64");
  new Secret(digest);
  return { user, file: ["secret=", new Secret(pair), "\n"], digest: new Secret(`${user}:${digest}`) };
}

function rulesOf({ discovery }: Service): readonly LabelRule[] {
  return (discovery.by === "zookeeper" ? discovery.labels : undefined) ?? [];
}

function ownService(
  { port, weight, backup, server_options: more, labels, check }: Registration,
  service: Service,
  address: string,
) {
  const { http, inter, timeout, rise, fall } = check;
  const httpPath = http === false ? undefined : (http ?? service.check.http?.path);
  const all = { ...labelsFor(rulesOf(service)), ...labels };
  return {
    port,
    weight,
    options: [
      ...(weight === undefined ? [] : [`weight ${weight}`]),
      ...(backup ? ["backup"] : []),
      ...(more === undefined ? [] : [more]),
    ].join(" "),
    labels: Object.keys(all).length === 0 ? undefined : all,
    check: {
      host: check.host ?? address,
      port: check.port ?? port,
      httpPath,
      interMs: inter,
      timeoutMs: timeout,
      rise,
      fall,
    },
  };
}

/** Each at the key that it is about, below the registration. */
function instanceProblems(
  registration: Registration,
  service: Service,
  address: string,
): readonly { readonly keys: readonly string[]; readonly message: string }[] {
  const { check, options, labels } = ownService(registration, service, address);
  const refused = optionsRefusal(service.serverOptionsAllowed, options);
  const rules = rulesOf(service);
  return [
    // Nerve opens an IPv4 socket for it whatever the address is.
    ...(check.httpPath === undefined && check.host.includes(":")
      ? [
          {
            keys: registration.check.host === undefined ? [] : ["check", "host"],
            message: `Nerve's TCP check knows no IPv6, and this is ${check.host}: give it check.http`,
          },
        ]
      : []),
    ...(refused === undefined
      ? []
      : [
          {
            keys: registration.server_options === undefined ? [] : ["server_options"],
            message: `no proxy would take it: ${refused}`,
          },
        ]),
    ...(isPicked(rules, labels ?? {})
      ? []
      : [
          {
            keys: registration.labels === undefined ? [] : ["labels"],
            message: `'${service.name}' would not pick it by its labels: it takes those of which ${shownRules(rules)}`,
          },
        ]),
  ];
}

/** What is wrong with the parameters in the light of the inventory. */
export function registrarProblems(
  parameters: RegistrarParameters,
  host: HostView,
  inventory: InventoryView,
): readonly { path: (string | number)[]; message: string }[] {
  const { services, networks } = inventory.mesh;
  const names = services.map(({ name }) => name);
  const problems = Object.entries(parameters.services).flatMap(([name, instances]) => {
    const path: (string | number)[] = ["services", name];
    const service = services.find((each) => each.name === name);
    if (service === undefined) {
      return [{ path, message: `'${name}' is not a service of the mesh${didYouMean(name, names)}` }];
    }
    if (service.discovery.by !== "zookeeper") {
      const instead = service.discovery.by === "dns" ? "is told by DNS, and has" : "has fixed servers and";
      return [
        { path, message: `'${name}' ${instead} no path in ZooKeeper to be registered at: give it a 'path'` },
      ];
    }
    if (networks.length > 0 && !networks.some((network) => isInNetwork(host.address, network))) {
      const message = `no proxy would take ${host.address}, which is in none of mesh.networks (${networks.join(", ")})`;
      return [{ path, message }];
    }
    return instances.flatMap((registration) =>
      instanceProblems(registration, service, host.address).map(({ keys, message }) => ({
        path: [...path, ...(registration.at === undefined ? [] : [registration.at]), ...keys],
        message,
      })),
    );
  });
  return [...problems, ...gemProblems(parameters, inventory)];
}
