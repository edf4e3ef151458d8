export const UNIT = "haproxy.service";
export const CONFIG = "/etc/haproxy/haproxy.cfg";
export const DROP_IN = "/etc/systemd/system/haproxy.service.d/meshctl.conf";
/** Keeps what HAProxy is started and reloaded with, for the drop-in. */
export const LOAD_RECORDER = "/opt/meshctl/haproxy/record-loaded";
/** Debian's unit opens it for the master process (https://docs.haproxy.org/2.6/management.html#9.4). */
export const MASTER_SOCKET = "/run/haproxy-master.sock";
