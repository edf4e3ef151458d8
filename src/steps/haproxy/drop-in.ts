/**
 * The unit's own settings beside Debian's.
 *
 * The limit is the hard one that systemd gives services by default, or more: so much that another maxconn needs no
 * restart, for a running master process never gets another limit.
 *
 * A proxy that gave up is gone until somebody comes. It must not: what keeps it from starting may pass, a port that
 * is taken at boot or a file that the watcher has yet to write. Debian's unit tries again after 0.1 s, but only
 * five times in ten seconds.
 */
export function renderDropIn(maxconn: number): string {
  const openFiles = Math.max(524_288, 2 * maxconn + 10_000);
  return `# Written by meshctl: HAProxy needs two open files a connection, and is tried again until it starts.
[Unit]
StartLimitIntervalSec=0

[Service]
RestartSec=500ms
LimitNOFILE=${openFiles}
`;
}
