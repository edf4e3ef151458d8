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
