import { shellWord } from "../../command-line.ts";
import type { HostFacts } from "../../contract/host.ts";
import { overlap, showEndpoint } from "../../evidence/endpoint.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { ProcessFact, ZookeeperFacts } from "./facts.ts";
import { configurationOf, dataDirectoryInUse, dataIn, idOnDisk } from "./member.ts";
import { isLasting } from "./parameters.ts";
import { myidPath } from "./render.ts";

/** Why a member must not be touched as it is: one sentence each, by what it is about. */
interface Obstacles {
  readonly dataDir: string | undefined;
  readonly myid: string | undefined;
  readonly ports: string | undefined;
}

export function obstaclesOf(desired: ZookeeperDesired, facts: ZookeeperFacts, host: HostFacts, id: number) {
  return {
    dataDir: movedData(desired, facts) ?? lostData(desired, facts, host),
    myid: renumbering(desired, facts, id),
    ports: stranger(desired, facts) ?? squatter(desired, facts, host),
  } satisfies Obstacles;
}

/** A server that finds its directory empty starts from nothing: data is moved by stop, copy, start. */
function movedData({ dataDir }: ZookeeperDesired, facts: ZookeeperFacts): string | undefined {
  const configuration = configurationOf(facts);
  const inUse = dataDirectoryInUse(facts);
  const logs = configuration.get("dataLogDir")?.value;
  const isCopied = dataIn(facts, dataDir) === "holds" && facts.process === undefined;
  const old = [inUse, logs].find(
    (directory) =>
      directory !== undefined && directory !== dataDir && dataIn(facts, directory) === "holds" && !isCopied,
  );
  if (old === undefined) return undefined;
  const parts = logs === undefined || logs === old ? [old] : [old, logs];
  const from = parts.map((directory) => shellWord(`${directory}/version-2`)).join(" ");
  return (
    `its data is in ${old}, not in ${dataDir}: ${isLasting(old) ? `say "data_dir: ${old}", or move it` : "move it"}, one member at a time: ` +
    `systemctl stop zookeeper && mkdir -p ${dataDir} && cp -a ${from} ${dataDir}/ && chown -R zookeeper:zookeeper ${dataDir} ` +
    `&& runuser -u zookeeper -- cp -L ${shellWord(`${old}/myid`)} ${dataDir}/, then run meshctl again`
  );
}

/**
 * A member that forgets what it has agreed to can undo what clients were told is done. It was one if meshctl wrote
 * its myid here, or if there is a number without a database.
 */
function lostData(desired: ZookeeperDesired, facts: ZookeeperFacts, host: HostFacts): string | undefined {
  const { dataDir } = desired;
  const data = dataIn(facts, dataDir);
  const wasMember = host.manifest.has(myidPath(desired));
  const isLost = data === "lost" ? wasMember || idOnDisk(facts) !== undefined : data === "none" && wasMember;
  if (!isLost) return undefined;
  return (
    `this host is a member already and ${dataDir} is empty: bring its data back (is the disk mounted?); ` +
    `if it is lost for good and the other members have it: ` +
    `mkdir -p ${dataDir} && chown -h zookeeper:zookeeper ${dataDir} && runuser -u zookeeper -- mkdir -p ${dataDir}/version-2 && ` +
    `runuser -u zookeeper -- touch ${dataDir}/initialize, then run meshctl again`
  );
}

/** Votes and transactions of a member are its id's: another id on the same data is another member. */
function renumbering(desired: ZookeeperDesired, facts: ZookeeperFacts, id: number): string | undefined {
  const found = idOnDisk(facts);
  if (found === undefined || found === id || dataIn(facts, desired.dataDir) !== "holds") return undefined;
  return `it is member ${found}, and its data is that member's: say "zookeeper: { id: ${found} }" at the host`;
}

function stranger({ address, ports }: ZookeeperDesired, { strangers }: ZookeeperFacts): string | undefined {
  const wanted = Object.values(ports).map((port: number) => ({ address, port }));
  const clash = (socket: ProcessFact["sockets"][number]) => wanted.some((each) => overlap(each, socket));
  const other = strangers.find(({ sockets }) => sockets.some(clash));
  if (other === undefined) return undefined;
  const port = other.sockets.find(clash)!.port;
  return `another ZooKeeper (process ${other.pid}), not zookeeper.service, has port ${port}: stop it, or give the mesh other ports (mesh.zookeeper)`;
}

/** While the unit runs, the ports are its own; while it does not, nobody else may have them. */
function squatter({ address, ports }: ZookeeperDesired, facts: ZookeeperFacts, host: HostFacts) {
  if (facts.process !== undefined) return undefined;
  const wanted = Object.values(ports).map((port: number) => ({ address, port }));
  const other = host.listeners.find((listener) => wanted.some((each) => overlap(each, listener)));
  if (other === undefined) return undefined;
  const holder = other.process || "another process";
  return `${holder} listens on ${showEndpoint(other)}, which ZooKeeper needs: stop it (ss -ltnp sport = ${other.port} names it), or give the mesh other ports (mesh.zookeeper)`;
}
