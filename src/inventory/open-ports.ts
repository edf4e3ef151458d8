import type { HostName } from "../contract/inventory-view.ts";
import type { Mesh } from "../contract/mesh.ts";

/**
 * What a run on these hosts says of ZooKeeper's ports where no firewall of meshctl's closes them. `firewalled`: the hosts
 * that have the step for it in the playbook.
 */
export function openPortsWords(
  { ensemble, firewall, zookeeper }: Mesh,
  hosts: readonly HostName[],
  firewalled: ReadonlySet<HostName>,
): string | undefined {
  const members = ensemble
    .map(({ host }) => host)
    .filter((host) => hosts.includes(host) && (firewall === undefined || !firewalled.has(host)));
  if (members.length === 0) return undefined;
  const { clientPort, quorumPort, electionPort } = zookeeper;
  const ports = list([clientPort, quorumPort, electionPort].map(String));
  if (firewall !== undefined)
    return `mesh.firewall is asked for, and the playbook has no step firewall for ${list(members)}: ports ${ports} stay as they are there. Add "firewall: {}" before zookeeper to a play for these hosts`;
  const who =
    zookeeper.auth === undefined
      ? "; mesh.zookeeper.auth keeps others from registering (see docs/network.md)"
      : "";
  return `ZooKeeper's ports ${ports} of ${list(members)} are open to all that reach them: the network must keep out everybody but the mesh, or mesh.firewall does (see docs/network.md)${who}`;
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
