import { buildDirectory } from "../../smartstack/build.ts";
import { libraryDirectories, programPath } from "../../smartstack/gem-set.ts";
import { unitPath } from "../../smartstack/program.ts";
import { SANDBOX } from "../../smartstack/sandbox.ts";
import {
  CREDENTIALS,
  CREDENTIALS_VARIABLE,
  NERVE_CONFIG,
  NODE_RECORD,
  NODE_RECORDER,
  REGISTRAR_UNIT,
  REGISTRAR_USER,
  RUNTIME_DIRECTORY,
  START_RECORD,
  START_RECORDER,
} from "./paths.ts";
import { NERVE } from "./program.ts";

/** The line of a unit whose Nerve registers with credentials. */
export const WITH_CREDENTIALS = `Environment=${CREDENTIALS_VARIABLE}=${CREDENTIALS}\n`;

/** Nerve under systemd. `key` names the build of its gems. */
export function registrarUnit(key: string, hasCredentials: boolean): string {
  const home = buildDirectory(NERVE, key);
  return `[Unit]
Description=Nerve: registers this host's services in ZooKeeper (meshctl)
Documentation=https://github.com/airbnb/nerve
Wants=network-online.target
After=network-online.target
# It must be tried for ever: a service that nobody registers gets no traffic.
StartLimitIntervalSec=0

[Service]
User=${REGISTRAR_USER}
Group=${REGISTRAR_USER}
RuntimeDirectory=${RUNTIME_DIRECTORY.split("/").at(-1)}
RuntimeDirectoryMode=0755
Environment=LANG=C.UTF-8
Environment=MESHCTL_NODES=${NODE_RECORD}
${hasCredentials ? WITH_CREDENTIALS : ""}# Its own program refuses to start from a gem home: its specification pins a zk that does not compile any more.
Environment=RUBYLIB=${libraryDirectories(NERVE.gems)
    .map((directory) => `${home}/${directory}`)
    .join(":")}
ExecStartPre=+${START_RECORDER} ${START_RECORD} ${NERVE_CONFIG} ${unitPath(REGISTRAR_UNIT)} ${NODE_RECORDER}${hasCredentials ? ` ${CREDENTIALS}` : ""}
ExecStart=/usr/bin/ruby -r ${NODE_RECORDER} ${home}/${programPath(NERVE.gems)} -c ${NERVE_CONFIG}
Restart=always
RestartSec=2
# A stop removes what it registered, and waits for ZooKeeper to confirm that.
TimeoutStopSec=30
UMask=0022
# Many times what it takes: for what grows without end.
MemoryMax=2G
TasksMax=512

${SANDBOX}

[Install]
WantedBy=multi-user.target
`;
}
