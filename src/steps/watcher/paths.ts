export { INSTALLER_PATH_UNIT, WATCHER_UNIT } from "../../haproxy/former-watcher.ts";

/** The system user that Synapse runs as. */
export const WATCHER_USER = "meshctl-watcher";
/** What only Synapse writes: its candidate, its state. */
export const STATE_DIRECTORY = "/var/lib/meshctl-watcher";
/** The gems, each build in a directory of its own, and the scripts beside them. */
export const PROGRAM_DIRECTORY = "/opt/meshctl/watcher";

export const SYNAPSE_CONFIG = "/etc/meshctl/synapse.conf.json";
/** Every line of haproxy.cfg but the servers. */
export const HAPROXY_FRAME = "/etc/meshctl/haproxy.frame";
/** What backends may say of themselves, for Synapse and for the installer. */
export const BACKEND_POLICY = "/etc/meshctl/backend-policy.json";
export const HAPROXY_CONFIG = "/etc/haproxy/haproxy.cfg";

export const INSTALLER_UNIT = "meshctl-haproxy-install.service";

export const INSTALLER = `${PROGRAM_DIRECTORY}/install-haproxy-config`;
export const START_RECORDER = `${PROGRAM_DIRECTORY}/record-start`;
export const SYNAPSE_PATCHES = `${PROGRAM_DIRECTORY}/synapse-patches.rb`;
export const POLICY_READER = `${PROGRAM_DIRECTORY}/backend-policy.rb`;
/** Asks DNS, for Synapse and for the look. The reader knows its path, too. */
export const DNS_ASKER = `${PROGRAM_DIRECTORY}/dns-names.rb`;
export const SERVER_CHECK = `${PROGRAM_DIRECTORY}/check-servers.rb`;
export const HOST_RESOLVER = `${PROGRAM_DIRECTORY}/resolve-hosts`;
export const CANDIDATE_READER = `${PROGRAM_DIRECTORY}/read-regular`;
export const ADDRESS_WRITER = `${PROGRAM_DIRECTORY}/name-addresses`;
export const START_TRIER = `${PROGRAM_DIRECTORY}/try-haproxy-start`;
export const WORKER_READER = `${PROGRAM_DIRECTORY}/haproxy-worker`;
export const SERVER_DROPPER = `${PROGRAM_DIRECTORY}/drop-refused-servers`;
export const SERVER_HALVER = `${PROGRAM_DIRECTORY}/halve-new-servers`;

/** Says what the running Synapse was started with. */
export const START_RECORD = "/run/meshctl/watcher-started";
export const INSTALL_RESULT = "/run/meshctl/haproxy-install";
export const RELOAD_RESULT = "/run/meshctl/haproxy-reload";
