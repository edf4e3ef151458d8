import type { LabHost } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";

const ASK = `perl -MIO::Socket::UNIX -e '
  $s = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die;
  print $s "$ARGV[0]\\n"; $s->shutdown(1); print while <$s>'`;

/** What HAProxy's admin socket answers; a frozen one fails the test within seconds. Lab hosts have no socat. */
export function tellHaproxy(host: LabHost, order: string): Promise<string> {
  return mustRun(host, `${ASK} '${order}'`, undefined, { timeoutMs: 20_000 });
}

export interface ServerState {
  readonly name: string;
  /** "UP", "DOWN", "MAINT", "DRAIN", or one of them with more behind it. */
  readonly status: string;
  /** How often it went from UP to DOWN since the worker started. */
  readonly timesDown: number;
}

/** The servers of a back end, as the running worker has them. */
export async function serversOf(host: LabHost, backend: string): Promise<ServerState[]> {
  const rows = (await tellHaproxy(host, "show stat")).split("\n").map((line) => line.split(","));
  return rows
    .filter((row) => row[0] === backend && row[32] === "2")
    .map((row) => ({ name: row[1]!, status: row[17]!, timesDown: Number(row[22]) }));
}

/** Those that it would send requests to, were they healthy. */
export async function liveServers(host: LabHost, backend: string): Promise<string[]> {
  const servers = await serversOf(host, backend);
  return servers.filter(({ status }) => !status.startsWith("MAINT")).map(({ name }) => name);
}

/** Servers that a restart of HAProxy would begin with, of all services. */
export async function configuredServers(host: LabHost): Promise<string[]> {
  const text = await mustRun(host, "cat /etc/haproxy/haproxy.cfg");
  return text
    .replace(/^backend \S+:panic\n(?:\s.*\n)*/gm, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("server ") && !line.endsWith(" disabled"))
    .map((line) => line.split(" ")[1]!);
}
