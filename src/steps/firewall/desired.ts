import type { HostView, InventoryView } from "../../contract/inventory-view.ts";
import type { Mesh } from "../../contract/mesh.ts";
import { registrationsOf } from "../../inventory/registrations.ts";
import type { FirewallParameters } from "./parameters.ts";
import { type Rules, sourcesOf } from "./rules.ts";

export interface FirewallDesired {
  /** Who must reach which of a member's ports, whoever filters packets; undefined of a host that is no member. */
  readonly reach: Rules | undefined;
  /** Undefined where the host is to have no table of meshctl's. */
  readonly rules: Rules | undefined;
  readonly ports: Mesh["zookeeper"];
  readonly adopt: boolean;
}

export function firewallDesired(
  { adopt }: FirewallParameters,
  host: HostView,
  { hosts, mesh }: InventoryView,
): FirewallDesired {
  const { clientPort, quorumPort, electionPort } = mesh.zookeeper;
  const isMember = mesh.ensemble.some((member) => member.host === host.name);
  const members = mesh.ensemble.map(({ address }) => address);
  const clients = [...hosts.values()]
    .filter((each) => mesh.proxies.includes(each.name) || Object.keys(registrationsOf(each)).length > 0)
    .map(({ address }) => address);
  const reach: Rules | undefined = isMember
    ? {
        clientPort,
        peerPorts: [quorumPort, electionPort],
        clients: sourcesOf([...members, ...clients, ...(mesh.firewall?.also ?? [])]),
        members: sourcesOf(members),
      }
    : undefined;
  return {
    reach,
    rules: mesh.firewall === undefined ? undefined : reach,
    ports: mesh.zookeeper,
    adopt,
  };
}
