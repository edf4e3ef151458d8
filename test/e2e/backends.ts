import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LabHost } from "../lab/lab.ts";

/**
 * Starts a small HTTP server on a lab host that answers with its name, or with what a port of the host's own proxy answers it.
 */
export async function startBackend(
  host: LabHost,
  name: string,
  port: number,
  { proxy, address = host.address }: { readonly proxy?: number; readonly address?: string } = {},
): Promise<void> {
  const program = await readFile(join(import.meta.dirname, "../lab/backend.pl"), "utf8");
  await mustRun(host, "cat >/root/backend.pl", program);
  const unit = `backend-${name}.service`;
  // One that was killed a moment ago may still be going.
  await host.exec(`systemctl stop ${unit}; systemctl reset-failed ${unit}`);
  await mustRun(
    host,
    `systemd-run --quiet --unit=${unit} perl /root/backend.pl ${port} ${name} ${address} ${proxy ?? ""}`,
  );
}

/**
 * Ends a backend as a crash does, all of it at once: it says goodbye to nobody. Returns the millisecond by which it was
 * killed, as `Date.now()` has it anywhere on this machine.
 */
export async function killBackend(host: LabHost, name: string): Promise<number> {
  const pid = (
    await mustRun(host, `systemctl show --property=MainPID --value backend-${name}.service`)
  ).trim();
  const killedAtMs = await mustRun(
    host,
    `perl -MPOSIX=ceil -MTime::HiRes=time -e 'kill "-KILL", $ARGV[0] or die "$!"; print ceil(time * 1000)' ${pid}`,
  );
  return Number(killedAtMs);
}

/** Runs commands of ZooKeeper's own command line client against the host's member. */
export async function zookeeper(host: LabHost, commands: readonly string[]): Promise<string> {
  const script = `/usr/share/zookeeper/bin/zkCli.sh -server ${host.address}:2181 2>&1`;
  const { stdout } = await host.exec(script, { input: `${commands.join("\n")}\nquit\n`, timeoutMs: 60_000 });
  return stdout;
}

/** Registers a backend as Nerve does and Synapse expects: a child of the service's path that holds host and port. */
export async function register(
  member: LabHost,
  path: string,
  backend: {
    readonly name: string;
    readonly host: Pick<LabHost, "address">;
    readonly port: number;
    /** Whatever else it says of itself. */
    readonly more?: object;
  },
): Promise<void> {
  const parents = path
    .split("/")
    .slice(1)
    .map((_, index, parts) => `create /${parts.slice(0, index + 1).join("/")} ''`);
  const value = JSON.stringify({
    host: backend.host.address,
    port: backend.port,
    name: backend.name,
    ...backend.more,
  });
  const output = await zookeeper(member, [...parents, `create ${path}/${backend.name} '${value}'`]);
  if (!output.includes(`Created ${path}/${backend.name}`))
    throw new Error(`${backend.name} was not registered:\n${output}`);
}

export async function deregister(member: LabHost, path: string, name: string): Promise<void> {
  const output = await zookeeper(member, [`delete ${path}/${name}`, `ls ${path}`]);
  const left = childrenIn(output);
  if (left === undefined || left.includes(name)) throw new Error(`${name} was not deregistered:\n${output}`);
}

/** Names of the nodes below a path. */
export async function listChildren(member: LabHost, path: string): Promise<readonly string[]> {
  const output = await zookeeper(member, [`ls ${path}`]);
  const names = childrenIn(output);
  if (names === undefined) throw new Error(`${path} was not listed:\n${output}`);
  return names;
}

/** What `ls` printed; undefined when it failed. What a watcher says may stand in the midst of it. */
function childrenIn(output: string): readonly string[] | undefined {
  const said = output.replace(/^(?:WATCHER::|WatchedEvent .*|)\n/gm, "");
  return /^\[([^\]]*)\]$/m
    .exec(said)?.[1]
    ?.split(/,\s*/)
    .map((name) => name.trim())
    .filter(Boolean);
}

/** Of a script that installs packages. */
export const installTimeoutMs = 300_000;

/** What the script prints. Throws when it fails or outlives its limit (`LabHost.exec`). */
export async function mustRun(
  host: LabHost,
  script: string,
  input?: string,
  limit: { timeoutMs?: number } = {},
): Promise<string> {
  const { code, stdout, stderr } = await host.exec(script, {
    ...limit,
    ...(input === undefined ? {} : { input }),
  });
  if (code !== 0) throw new Error(`${host.name}: ${script}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Asks again every 200 ms until the answer is as expected; returns how long that took. Throws with the last answer. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  fits: (answer: T) => boolean,
  deadlineMs = 180_000,
) {
  const startedAtMs = Date.now();
  for (;;) {
    const answer = await ask();
    const tookMs = Date.now() - startedAtMs;
    if (fits(answer)) return tookMs;
    if (tookMs > deadlineMs) throw new Error(`${what}: still ${JSON.stringify(answer)} after ${tookMs} ms`);
    await new Promise((resume) => setTimeout(resume, 200));
  }
}
