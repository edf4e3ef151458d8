export const HAPROXY_UNIT = "haproxy.service";
export const HAPROXY_CONFIG = "/etc/haproxy/haproxy.cfg";
/** Debian's unit opens it for the master process (https://docs.haproxy.org/2.6/management.html#9.4). */
export const MASTER_SOCKET = "/run/haproxy-master.sock";
