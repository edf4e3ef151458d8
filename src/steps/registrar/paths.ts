/** The system user that Nerve runs as. It owns nothing on the disk. */
export const REGISTRAR_USER = "meshctl-registrar";
/** The gems, each build in a directory of its own, and the scripts beside them. */
export const PROGRAM_DIRECTORY = "/opt/meshctl/registrar";
export const NERVE_CONFIG = "/etc/meshctl/nerve.conf.json";
export const REGISTRAR_UNIT = "meshctl-registrar.service";
/** Starts it again where a run that has stopped it does not. */
export const UNDRAIN_TIMER = "meshctl-undrain.timer";
export const START_RECORDER = `${PROGRAM_DIRECTORY}/record-start`;
export const NODE_RECORDER = `${PROGRAM_DIRECTORY}/record-nodes.rb`;
/** Says what the running Nerve was started with. */
export const START_RECORD = "/run/meshctl/registrar-started";
/** What only Nerve writes: which nodes it made, and in which session. Gone when it ends. */
export const RUNTIME_DIRECTORY = "/run/meshctl-registrar";
export const NODE_RECORD = `${RUNTIME_DIRECTORY}/nodes.json`;
/** The account that Nerve registers with, as "secret=USER:PASSWORD". The reader knows it by this path, too. */
export const CREDENTIALS = "/etc/meshctl/zookeeper-auth";
/** Its name among the unit's variables. */
export const CREDENTIALS_VARIABLE = "MESHCTL_ZOOKEEPER_AUTH";
