import type { WantedFile } from "../../contract/change.ts";
import { plainFile } from "../../evidence/file.ts";
import { SANDBOX } from "../../smartstack/sandbox.ts";
import type { ZookeeperDesired } from "./desired.ts";
import type { Servers } from "./properties.ts";

export const ZOO_CFG = "/etc/zookeeper/conf/zoo.cfg";
export const UNIT = "zookeeper.service";
export const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
/** Which files the process started with: the invocation's id, then lines as sha256sum prints them. */
export const STARTED = "/run/meshctl/zookeeper.started";

export const WORDS = "srvr,mntr,ruok,conf,isro";
export const PURGE_HOURS = 1;
/** Debian's only SLF4J binding that needs no configuration; without one ≥ 3.5 logs nothing at all. */
export const LOG_BINDING = "slf4j-simple.jar";

/** The files of the member with this id. */
export function memberFiles(
  desired: ZookeeperDesired,
  servers: Servers,
  id: number,
): Readonly<Record<"myid" | "zooCfg" | "unit", WantedFile>> {
  return {
    // The service's own: it lies among what only its user changes.
    myid: { ...plainFile(myidPath(desired), `${id}\n`), owner: "zookeeper:zookeeper" },
    zooCfg: plainFile(ZOO_CFG, renderZooCfg(desired, servers)),
    unit: plainFile(UNIT_FILE, renderUnit(desired)),
  };
}

/** The text must stay the same from one version of meshctl to the next: a difference restarts an ensemble. */
export function renderZooCfg(desired: ZookeeperDesired, servers: Servers): string {
  return [
    "# Written by meshctl. It tells a change by hand from its own and shows it before it replaces it.",
    `tickTime=${desired.tickTimeMs}`,
    `initLimit=${desired.initLimit}`,
    `syncLimit=${desired.syncLimit}`,
    `dataDir=${desired.dataDir}`,
    ...(desired.dataLogDir === undefined ? [] : [`dataLogDir=${desired.dataLogDir}`]),
    `clientPort=${desired.ports.clientPort}`,
    `clientPortAddress=${desired.address}`,
    "quorumListenOnAllIPs=false",
    `4lw.commands.whitelist=${WORDS}`,
    "# It would take 0.0.0.0:8080.",
    "admin.enableServer=false",
    `autopurge.snapRetainCount=${desired.autopurgeKeep}`,
    `autopurge.purgeInterval=${PURGE_HOURS}`,
    ...[...servers].map(([id, server]) => `server.${id}=${server}`),
    "",
  ].join("\n");
}

export function serverOf(address: string, { quorumPort, electionPort }: ZookeeperDesired["ports"]): string {
  return `${address.includes(":") ? `[${address}]` : address}:${quorumPort}:${electionPort}`;
}

/** The process as /proc/PID/cmdline must show it. No jmxremote: it would open a random port on all interfaces. */
export function argvOf({ heapBytes }: ZookeeperDesired): readonly string[] {
  const heap = showHeap(heapBytes);
  // From 3.8 on Debian's zookeeper.jar names what it needs in its manifest; 3.4 names nothing.
  const jars = ["zookeeper.jar", "slf4j-api.jar", LOG_BINDING].map((jar) => `/usr/share/java/${jar}`);
  return [
    "/usr/bin/java",
    `-Xms${heap}`,
    `-Xmx${heap}`,
    "-XX:+ExitOnOutOfMemoryError",
    // There is no Log4j to register.
    "-Dzookeeper.jmx.log4j.disable=true",
    "-cp",
    jars.join(":"),
    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
    ZOO_CFG,
  ];
}

/**
 * A unit of our own in place of the package's SysV script, whose start exits 0 whatever happens. The first
 * ExecStartPre records what the process starts with; the second refuses a known member whose data is gone:
 * `initialize` is ZooKeeper's own mark of a member that may be empty; 3.4 does not take it away itself.
 */
export function renderUnit(desired: ZookeeperDesired): string {
  const { dataDir, dataLogDir, heapBytes } = desired;
  // Root reads nothing that ZooKeeper's user may have put there.
  const asZookeeper = "setpriv --reuid=zookeeper --regid=zookeeper --clear-groups timeout 5";
  const sums = `sha256sum ${ZOO_CFG} ${UNIT_FILE} && ${asZookeeper} sha256sum ${myidPath(desired)}`;
  const record = `echo "$$INVOCATION_ID"; ${sums}`;
  const hasSnapshot = `ls ${dataDir}/version-2/snapshot.* >/dev/null 2>&1`;
  // A fresh member has a snapshot before it has a log, but the directory of both was made for it.
  const hasData =
    dataLogDir === undefined ? hasSnapshot : `{ ${hasSnapshot} && test -d ${dataLogDir}/version-2; }`;
  const lost =
    dataLogDir === undefined
      ? `${dataDir} holds no snapshot`
      : `${dataDir} holds no snapshot or ${dataLogDir} no version-2`;
  const refusal = `${lost} although this host is a member: is its disk mounted?`;
  const directories = dataLogDir === undefined ? [dataDir] : [dataDir, dataLogDir];
  return `# Written by meshctl.
[Unit]
Description=ZooKeeper
Documentation=https://zookeeper.apache.org/doc/current/zookeeperAdmin.html
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${directories.join(" ")}
StartLimitIntervalSec=0

[Service]
Type=exec
User=zookeeper
Group=zookeeper
ExecStartPre=+/bin/sh -c 'mkdir -p /run/meshctl && { ${record}; } >${STARTED}'
ExecStartPre=/bin/sh -c '${hasData} || test -e ${dataDir}/initialize || { echo "${refusal}"; exit 1; }'
ExecStart=${argvOf(desired).join(" ")}
ExecStopPost=-/bin/sh -c '${hasSnapshot} && rm -f ${dataDir}/initialize'
SuccessExitStatus=143
Restart=on-failure
RestartSec=5
TimeoutStopSec=60
# The heap, as much again outside of it, and what Java needs beside both.
MemoryMax=${2 * heapBytes + 2 ** 30}
TasksMax=4096
# Also where version-2 is a link to another disk.
ReadWritePaths=${directories.flatMap((path) => [`-${path}`, `-${path}/version-2`]).join(" ")}
ProtectProc=invisible
RemoveIPC=yes
${SANDBOX}

[Install]
WantedBy=multi-user.target
`;
}

export function myidPath({ dataDir }: { readonly dataDir: string }): string {
  return `${dataDir}/myid`;
}

/** As -Xmx takes it: "1G", "1536M", "65540K". */
export function showHeap(bytes: number): string {
  if (bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}G`;
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}M` : `${bytes / 2 ** 10}K`;
}
