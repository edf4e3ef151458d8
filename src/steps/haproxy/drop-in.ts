import { LOADED_RECORD } from "../../haproxy/loaded.ts";
import { CONFIG, LOAD_RECORDER } from "./paths.ts";

/**
 * The unit's own settings beside Debian's.
 *
 * The limit is the hard one that systemd gives services by default, or more: so much that another maxconn needs no
 * restart, for a running master process never gets another limit.
 *
 * A proxy that gave up is gone until somebody comes. It must not: what keeps it from starting may pass, a port that
 * is taken at boot or a file that the watcher has yet to write. Debian's unit tries again after 0.1 s, but only
 * five times in ten seconds.
 *
 * What HAProxy reads is kept at each start and reload. Systemd runs these lines behind Debian's own: what Debian's check
 * refuses is not kept. Should they fail, HAProxy starts and reloads all the same, and nothing is on record.
 */
export function renderDropIn(maxconn: number): string {
  const openFiles = Math.max(524_288, 2 * maxconn + 10_000);
  const record = `-+${LOAD_RECORDER} ${LOADED_RECORD} ${CONFIG}`;
  return `# Written by meshctl: HAProxy needs two open files a connection, and is tried again until it starts. What it is
# started and reloaded with is kept, for it cannot be asked.
[Unit]
StartLimitIntervalSec=0

[Service]
RestartSec=500ms
LimitNOFILE=${openFiles}
ExecStartPre=${record}
ExecReload=${record}
`;
}
