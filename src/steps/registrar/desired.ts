import { isInNetwork } from "../../address-range.ts";
import type { HostName, HostView, InventoryView } from "../../contract/inventory-view.ts";
import { didYouMean } from "../../inventory/nearest-name.ts";
import type { Registration } from "../../inventory/registrations.ts";
import type { GemSource } from "../../smartstack/build.ts";
import { gemProblems, gemSource } from "../../smartstack/gem-parameters.ts";
import type { RegistrarParameters } from "./parameters.ts";

/** A service that a host runs, as it is to be registered. */
export interface OwnService {
  readonly name: string;
  /** The service's path in ZooKeeper. */
  readonly path: string;
  readonly port: number;
  readonly weight: number | undefined;
  readonly check: {
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
  readonly gemSource: GemSource;
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
    services: services.flatMap(({ name, path, check }): OwnService[] => {
      const registration = parameters.services[name];
      if (registration === undefined || path === undefined) return [];
      return [{ name, path, ...ownService(registration, check.http?.path) }];
    }),
    gemSource: gemSource(parameters, inventory),
  };
}

function ownService({ port, weight, check }: Registration, meshPath: string | undefined) {
  const { http, inter, timeout, rise, fall } = check;
  const httpPath = http === false ? undefined : (http ?? meshPath);
  return { port, weight, check: { httpPath, interMs: inter, timeoutMs: timeout, rise, fall } };
}

/** What is wrong with the parameters in the light of the inventory. */
export function registrarProblems(
  parameters: RegistrarParameters,
  host: HostView,
  inventory: InventoryView,
): readonly { path: (string | number)[]; message: string }[] {
  const { services, networks } = inventory.mesh;
  const names = services.map(({ name }) => name);
  const problems = Object.entries(parameters.services).flatMap(([name, registration]) => {
    const path = ["services", name];
    const service = services.find((each) => each.name === name);
    if (service === undefined) {
      return [{ path, message: `'${name}' is not a service of the mesh${didYouMean(name, names)}` }];
    }
    if (service.path === undefined) {
      return [{ path, message: `'${name}' has fixed servers and no path in ZooKeeper to be registered at` }];
    }
    if (networks.length > 0 && !networks.some((network) => isInNetwork(host.address, network))) {
      const message = `no proxy would take ${host.address}, which is in none of mesh.networks (${networks.join(", ")})`;
      return [{ path, message }];
    }
    // Nerve opens an IPv4 socket for it whatever the address is.
    if (
      ownService(registration, service.check.http?.path).check.httpPath === undefined &&
      host.address.includes(":")
    ) {
      return [
        { path, message: `Nerve's TCP check knows no IPv6, and this is ${host.address}: give it check.http` },
      ];
    }
    return [];
  });
  return [...problems, ...gemProblems(parameters, inventory)];
}
