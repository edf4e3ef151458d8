import type * as z from "zod";
import type { HostName } from "../contract/inventory-view.ts";
import type { Mesh } from "../contract/mesh.ts";
import { isPlainMap } from "../plain-map.ts";
import type { HostDraft } from "./read-hosts.ts";
import { firewallEntry, type zookeeperPorts } from "./schema.ts";
import type { Section } from "./section.ts";

type Ports = z.output<typeof zookeeperPorts>;

const PLACE = ["mesh", "firewall"];
/** Where sshd listens unless something else is said. */
const SSH_PORT = 22;

/** `mesh.firewall`: true, false, or a map that says more. Undefined where it is not asked for. */
export function readFirewall(
  section: Section,
  ports: Ports,
  ensemble: readonly HostName[],
  hosts: ReadonlyMap<HostName, HostDraft>,
): Mesh["firewall"] {
  const given = section.raw(PLACE);
  if (given == null || given === false) return undefined;
  if (given !== true && !isPlainMap(given)) {
    section.unexpected(PLACE, "expected true, false or a map like { also: [10.9.0.0/16] }");
    return undefined;
  }
  const entry = section.check(PLACE, firewallEntry, given === true ? {} : given);
  if (section.raw(["mesh", "ensemble"]) === undefined) {
    const message = "needs 'ensemble', the group of ZooKeeper's hosts: it is their ports that it closes";
    section.problem(PLACE, message, { at: "key" });
  }
  for (const host of ensemble) reportClosedSsh(section, ports, host, hosts.get(host)?.entry?.ssh?.port);
  return entry;
}

/** A member that is reached by SSH at a port of ZooKeeper's would be out of reach. */
function reportClosedSsh(section: Section, ports: Ports, host: HostName, own: number | undefined): void {
  const common = section.raw(["ssh", "port"]);
  const port = own ?? common ?? SSH_PORT;
  const key = (Object.keys(ports) as (keyof Ports)[]).find((each) => ports[each] === port);
  if (key === undefined) return;
  const words = `mesh.firewall closes ${key} to all but the mesh`;
  if (own !== undefined) {
    section.problem(["hosts", host, "ssh", "port"], `${port} is ZooKeeper's ${key} too, and ${words}`);
  } else if (common !== undefined) {
    section.problem(["ssh", "port"], `${port} is ZooKeeper's ${key} too, and ${words} ('${host}')`);
  } else {
    const message = `${port} is where '${host}' is reached by SSH, and ${words}`;
    section.problem(["mesh", "zookeeper", key], message);
  }
}
