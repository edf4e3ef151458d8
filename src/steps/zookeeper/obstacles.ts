import { shellWord } from "../../command-line.ts";
import type { HostFacts } from "../../contract/host.ts";
import { overlap, showEndpoint } from "../../evidence/endpoint.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { ProcessFact, ZookeeperFacts } from "./facts.ts";
import { dataDirectoryInUse, dataIn, hasLogsIn, idOnDisk, logDirectoryInUse } from "./member.ts";
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
function movedData(desired: ZookeeperDesired, facts: ZookeeperFacts): string | undefined {
  const { dataDir, dataLogDir: logDir = dataDir } = desired;
  const data = movedFrom(desired, facts);
  const logs = logsMovedFrom(desired, facts, data);
  const old = data ?? logs;
  if (old === undefined) return undefined;
  const say = sayInstead(desired, facts);
  const owned = [
    ...new Set([...(data === undefined ? [] : [dataDir]), ...(logs === undefined ? [] : [logDir])]),
  ];
  const steps = [
    "systemctl stop zookeeper",
    ...(data === undefined
      ? []
      : [`mkdir -p ${dataDir}`, `cp -a ${shellWord(`${data}/version-2`)} ${dataDir}/`]),
    ...(logs === undefined
      ? []
      : [`mkdir -p ${logDir}/version-2`, `mv ${shellWord(`${logs}/version-2`)}/log.* ${logDir}/version-2/`]),
    `chown -R zookeeper:zookeeper ${owned.join(" ")}`,
    ...(data === undefined ? [] : [`runuser -u zookeeper -- cp -L ${shellWord(`${data}/myid`)} ${dataDir}/`]),
  ];
  const what = data === undefined ? "transaction log" : "data";
  return (
    `its ${what} is in ${old}, not in ${data === undefined ? logDir : dataDir}: ${say === undefined ? "move it" : `say ${say}, or move it`}, ` +
    `one member at a time: ${steps.join(" && ")}, then run meshctl again`
  );
}

/** Where the data is while the wanted directory has none of it, or a server still writes the old one. */
function movedFrom({ dataDir }: ZookeeperDesired, facts: ZookeeperFacts): string | undefined {
  const inUse = dataDirectoryInUse(facts);
  const isMoved = inUse !== undefined && inUse !== dataDir && dataIn(facts, inUse) === "holds";
  return isMoved && !isCopied(dataDir, facts) ? inUse : undefined;
}

const isCopied = (dataDir: string, facts: ZookeeperFacts) =>
  dataIn(facts, dataDir) === "holds" && facts.process === undefined;

/**
 * Where transaction logs are that a server with the wanted configuration would not read: it would go on from a snapshot
 * that is older than what it has agreed to, or refuse to start for logs among its snapshots. `data`: see `movedFrom`.
 */
function logsMovedFrom(
  { dataDir, dataLogDir: logDir = dataDir }: ZookeeperDesired,
  facts: ZookeeperFacts,
  data: string | undefined,
): string | undefined {
  const inUse = dataDirectoryInUse(facts);
  const logs = logDirectoryInUse(facts);
  if (logs !== undefined && logs !== inUse && logs !== logDir && hasLogsIn(facts, logs)) return logs;
  // Those that lie among the snapshots go where these go.
  if (logDir === dataDir) return undefined;
  if (data !== undefined && data === logs && hasLogsIn(facts, data)) return dataDir;
  return hasLogsIn(facts, dataDir) ? dataDir : undefined;
}

/** What the inventory could say, for everything to stay where it is; undefined where it must not. */
function sayInstead(desired: ZookeeperDesired, facts: ZookeeperFacts): string | undefined {
  const inUse = dataDirectoryInUse(facts) ?? desired.dataDir;
  const logs = logDirectoryInUse(facts) ?? inUse;
  if (!isLasting(inUse) || !isLasting(logs)) return undefined;
  const say = [
    ...(inUse === desired.dataDir ? [] : [`"data_dir: ${inUse}"`]),
    ...(logs === inUse || logs === desired.dataLogDir ? [] : [`"data_log_dir: ${logs}"`]),
  ];
  if (logs === inUse && desired.dataLogDir !== undefined) say.push("nothing of data_log_dir");
  return say.length === 0 ? undefined : say.join(" and ");
}

/**
 * A member that forgets what it has agreed to can undo what clients were told is done. It was one if meshctl wrote
 * its myid here, or if there is a number without a database.
 */
function lostData(desired: ZookeeperDesired, facts: ZookeeperFacts, host: HostFacts): string | undefined {
  const { dataDir, dataLogDir } = desired;
  const data = dataIn(facts, dataDir);
  const wasMember = host.manifest.has(myidPath(desired));
  const isLost = data === "lost" ? wasMember || idOnDisk(facts) !== undefined : data === "none" && wasMember;
  if (isLost) {
    const directories = dataLogDir === undefined ? [dataDir] : [dataDir, dataLogDir];
    const versions = directories.map((directory) => `${directory}/version-2`).join(" ");
    return (
      `this host is a member already and ${dataDir} is empty: bring its data back (is the disk mounted?); ` +
      `if it is lost for good and the other members have it: ` +
      `mkdir -p ${directories.join(" ")} && chown -h zookeeper:zookeeper ${directories.join(" ")} && runuser -u zookeeper -- mkdir -p ${versions} && ` +
      `runuser -u zookeeper -- touch ${dataDir}/initialize, then run meshctl again`
    );
  }
  return dataLogDir === undefined ? undefined : lostLogs(dataDir, dataLogDir, facts);
}

/** Snapshots and logs belong together. */
function lostLogs(dataDir: string, dataLogDir: string, facts: ZookeeperFacts): string | undefined {
  const data = dataIn(facts, dataDir);
  if (data !== "holds" && data !== "blank") {
    return hasLogsIn(facts, dataLogDir)
      ? `${dataLogDir} holds transaction logs and ${dataDir} no snapshot: bring its data back (is the disk mounted?), or clear ${dataLogDir} if it is no member's`
      : undefined;
  }
  if (dataIn(facts, dataLogDir) !== "none") return undefined;
  const make = `mkdir -p ${dataLogDir}/version-2 && chown -R zookeeper:zookeeper ${dataLogDir}, then run meshctl again`;
  return logDirectoryInUse(facts) === dataLogDir
    ? `${dataDir} holds data and ${dataLogDir} has no version-2: bring its transaction log back (is the disk mounted?); if it is lost for good and the other members have it: ${make}`
    : `${dataDir} holds data, and ${dataLogDir} is to be made for its transaction log: ${make}`;
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
