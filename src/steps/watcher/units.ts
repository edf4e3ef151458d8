import { buildDirectory } from "../../smartstack/build.ts";
import { libraryDirectories, programPath } from "../../smartstack/gem-set.ts";
import { unitPath } from "../../smartstack/program.ts";
import { SANDBOX } from "../../smartstack/sandbox.ts";
import {
  BACKEND_POLICY,
  DNS_ASKER,
  INSTALLER,
  INSTALLER_UNIT,
  POLICY_READER,
  START_RECORD,
  START_RECORDER,
  STATE_DIRECTORY,
  SYNAPSE_CONFIG,
  SYNAPSE_PATCHES,
  WATCHER_UNIT,
  WATCHER_USER,
} from "./paths.ts";
import { SYNAPSE } from "./program.ts";

/** Synapse under systemd. `key` names the build of its gems. */
export function watcherUnit(key: string): string {
  const home = buildDirectory(SYNAPSE, key);
  const libraries = libraryDirectories(SYNAPSE.gems).map((directory) => `${home}/${directory}`);
  return `[Unit]
Description=Synapse: follows the mesh's services in ZooKeeper and DNS (meshctl)
Documentation=https://github.com/airbnb/synapse
Wants=network-online.target
After=network-online.target haproxy.service
# It ends when ZooKeeper is away at start or its session expires, and must be tried for ever.
StartLimitIntervalSec=0

[Service]
User=${WATCHER_USER}
Group=${WATCHER_USER}
# HAProxy's socket.
SupplementaryGroups=haproxy
StateDirectory=${STATE_DIRECTORY.split("/").at(-1)}
StateDirectoryMode=0750
Environment=LANG=C.UTF-8
Environment=MESHCTL_LAST_BACKENDS=${STATE_DIRECTORY}/backends.json
Environment=MESHCTL_BACKEND_POLICY=${BACKEND_POLICY}
# Its own program refuses to start from a gem home: its specification pins a zk that does not compile any more.
Environment=RUBYLIB=${libraries.join(":")}
ExecStartPre=+${START_RECORDER} ${START_RECORD} ${SYNAPSE_CONFIG} ${unitPath(WATCHER_UNIT)} ${SYNAPSE_PATCHES} ${POLICY_READER} ${DNS_ASKER} ${BACKEND_POLICY}
ExecStart=/usr/bin/ruby -r ${SYNAPSE_PATCHES} ${home}/${programPath(SYNAPSE.gems)} -c ${SYNAPSE_CONFIG}
Restart=always
# Each try waits some seconds for ZooKeeper by itself, so that this is no storm; pauses that grow (RestartSteps=) would
# only delay the recovery, and Debian 11 and 12 do not know them.
RestartSec=2
# A stop has nothing to finish: HAProxy serves on.
TimeoutStopSec=10
UMask=0027
# Many times what it takes: for what grows without end.
MemoryMax=2G
TasksMax=512

${SANDBOX}

[Install]
WantedBy=multi-user.target
`;
}

/**
 * As SANDBOX, but for what it is root for: it becomes the watcher's user, takes what that user owns, and writes haproxy.cfg,
 * which may be a link to another place outside of /usr. HAProxy is tried in a unit of its own.
 */
const SANDBOX_OF_ROOT = SANDBOX.replace(
  "CapabilityBoundingSet=",
  "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_DAC_OVERRIDE",
).replace("ProtectSystem=strict", "ProtectSystem=full\nReadWritePaths=-/etc/haproxy");

/** Puts what Synapse wrote into force, as root. */
export function installerUnit(): string {
  return `[Unit]
Description=Installs haproxy.cfg as Synapse wrote it (meshctl)
# Every candidate counts, however fast they come.
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${INSTALLER}
# Names that a dead name service is asked for take it 60 s at most, HAProxy's tries and a reload that hangs the rest.
TimeoutStartSec=300
# A candidate has 8 MiB at most.
LimitFSIZE=16M
# Many times what it takes: for what grows without end.
MemoryMax=2G
TasksMax=512
UMask=0077

${SANDBOX_OF_ROOT}
`;
}

/**
 * Starts the installer. By PathExists alone, which systemd looks at again whenever the installer ends: a change
 * seen by inotify while it runs would be missed.
 */
export function installerPathUnit(): string {
  const names = ["haproxy.cfg", "haproxy.cfg.taken", "reload-requested", "reload-taken"];
  return `[Unit]
Description=Waits for what Synapse writes for HAProxy (meshctl)
StartLimitIntervalSec=0

[Path]
${names.map((name) => `PathExists=${STATE_DIRECTORY}/${name}`).join("\n")}
Unit=${INSTALLER_UNIT}

[Install]
WantedBy=multi-user.target
`;
}
