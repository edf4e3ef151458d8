export {
  HAPROXY_CONFIG as CONFIG,
  HAPROXY_UNIT as UNIT,
  MASTER_SOCKET,
} from "../../haproxy/paths.ts";
export const DROP_IN = "/etc/systemd/system/haproxy.service.d/meshctl.conf";
/** Keeps what HAProxy is started and reloaded with, for the drop-in. */
export const LOAD_RECORDER = "/opt/meshctl/haproxy/record-loaded";
