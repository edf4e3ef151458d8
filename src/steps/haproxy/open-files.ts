/** Listeners, logs, the sockets and pipes of the process itself. 44 and 58 were seen with two threads. */
const RESERVE = 100;
const RESERVE_PER_CPU = 8;

/**
 * Open files a worker needs for `maxconn`: one for the client and one for the server of every connection
 * (https://docs.haproxy.org/2.6/configuration.html#3.2-ulimit-n), and some for itself.
 */
export function openFilesNeeded(maxconn: number, cpus: number): number {
  return 2 * maxconn + RESERVE + RESERVE_PER_CPU * cpus;
}

/** The highest maxconn that so many open files are enough for. */
export function maxconnWithin(openFiles: number, cpus: number): number {
  return Math.max(0, Math.floor((openFiles - openFilesNeeded(0, cpus)) / 2));
}

/**
 * What the unit is given: the hard limit that systemd gives services by default, or more. So much that another maxconn
 * needs no restart, for a running master process never gets another limit.
 */
function limitNofile(maxconn: number): number {
  return Math.max(524_288, 2 * maxconn + 10_000);
}

/**
 * A proxy that gave up is gone until somebody comes. It must not: what keeps it from starting, a port that is taken
 * at boot or a file that the watcher has yet to write, may pass.
 */
export function renderDropIn(maxconn: number): string {
  return `# Written by meshctl: HAProxy is tried again until it can start, and every connection takes it two open files.
[Unit]
StartLimitIntervalSec=0

[Service]
RestartSec=2s
LimitNOFILE=${limitNofile(maxconn)}
`;
}
