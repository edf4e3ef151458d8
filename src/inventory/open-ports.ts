import type { Mesh } from "../mesh/mesh.ts";
import type { HostName } from "./view.ts";

/** What a plan for these hosts says of ZooKeeper's ports where no firewall of meshctl's closes them. */
export function openPortsWords(
  { ensemble, firewall, zookeeper }: Mesh,
  hosts: readonly HostName[],
): string | undefined {
  const members = ensemble.map(({ host }) => host).filter((host) => hosts.includes(host));
  if (firewall !== undefined || members.length === 0) return undefined;
  const { clientPort, quorumPort, electionPort } = zookeeper;
  const ports = list([clientPort, quorumPort, electionPort].map(String));
  return `ZooKeeper's ports ${ports} of ${list(members)} are open to all that reach them: the network must keep out everybody but the mesh, or mesh.firewall does (see README, "Firewall")`;
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
