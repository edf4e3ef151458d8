import type { HostView, InventoryView } from "../../contract/inventory-view.ts";
import { mergePortRanges, type PortRange } from "../../evidence/port-ranges.ts";
import { registrationsOf } from "../../inventory/registrations.ts";

/**
 * Where clients expect MariaDB and MySQL, and MySQL's X protocol. Reserved on every host: it costs nothing, a database
 * may move in later, and which of the two it is shows only once it is installed.
 */
const DATABASE_PORTS = [3306, 33060];

/** Ports that the mesh and its SSH server listen on at this host, from the inventory alone: every playbook asks for the same. */
export function ownPorts(host: HostView, { mesh }: InventoryView): readonly PortRange[] {
  const ports = [...DATABASE_PORTS];
  if (mesh.ensemble.some((member) => member.host === host.name)) {
    const { clientPort, quorumPort, electionPort } = mesh.zookeeper;
    ports.push(clientPort, quorumPort, electionPort);
  }
  if (mesh.proxies.includes(host.name)) {
    const haproxy = host.parameters.get("haproxy") as
      | { readonly stats?: { readonly port: number } }
      | undefined;
    ports.push(
      ...mesh.services.map((service) => service.port),
      ...(haproxy?.stats ? [haproxy.stats.port] : []),
    );
  }
  for (const service of mesh.services) {
    for (const server of service.servers) {
      if (server.host === host.address || server.host === host.name) ports.push(server.port);
    }
  }
  // A host whose sshd finds its port taken is lost. Debian's own is below every local range.
  if (host.ssh?.port !== undefined && host.ssh.port >= 1024) ports.push(host.ssh.port);
  ports.push(
    ...Object.values(registrationsOf(host)).flatMap((instances) => instances.map(({ port }) => port)),
  );
  return mergePortRanges(ports.map((port) => ({ first: port, last: port })));
}
