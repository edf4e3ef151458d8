export const UNIT = "haproxy.service";
export const CONFIG = "/etc/haproxy/haproxy.cfg";
export const DROP_IN = "/etc/systemd/system/haproxy.service.d/meshctl.conf";
/** Debian's unit opens it for the master process (https://docs.haproxy.org/2.6/management.html#9.4). */
export const MASTER_SOCKET = "/run/haproxy-master.sock";
