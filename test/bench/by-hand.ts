import type { Lab, LabHost } from "../lab/lab.ts";
import { timed } from "./measure.ts";

/** An installation from a slow mirror. */
const INSTALL_MS = 900_000;

/** "NAME:ARCHITECTURE", or the name alone as dpkg has it. */
export async function packagesOf(host: LabHost): Promise<ReadonlySet<string>> {
  const listed = `dpkg-query -W -f '\${db:Status-Abbrev}\${binary:Package}\\n'`;
  const lines = (await told(host, listed)).split("\n");
  return new Set(lines.flatMap((line) => (line.startsWith("ii ") ? [line.slice(3)] : [])));
}

/** Milliseconds of what a person would type: apt for the same packages of each host, on all of them at once. */
export function installByHand(lab: Lab, packages: ReadonlyMap<string, readonly string[]>): Promise<number> {
  return timed(() =>
    Promise.all(
      lab.hosts.map((host) =>
        told(
          host,
          `export DEBIAN_FRONTEND=noninteractive http_proxy=${lab.proxyUrl}
apt-get -q -o APT::Update::Error-Mode=any update && apt-get -q -y --no-install-recommends install ${packages.get(host.name)!.join(" ")}`,
          INSTALL_MS,
        ),
      ),
    ),
  );
}

/** Milliseconds that an ensemble takes from its start to a quorum, all members at once. */
export function quorum(members: readonly LabHost[]): Promise<number> {
  const serves = `exec 3<>/dev/tcp/$(sed -n 's/^clientPortAddress=//p' /etc/zookeeper/conf/zoo.cfg)/2181 && echo srvr >&3 && grep -q ^Mode <&3`;
  const script = `systemctl restart zookeeper && timeout 50 bash -c 'until (${serves.replaceAll("'", `'\\''`)}) 2>/dev/null; do sleep 0.05; done'`;
  return timed(() => Promise.all(members.map((host) => told(host, script))));
}

/** Milliseconds of a reload of HAProxy, on all hosts at once. */
export function reload(hosts: readonly LabHost[]): Promise<number> {
  return timed(() => Promise.all(hosts.map((host) => told(host, "systemctl reload haproxy"))));
}

async function told(host: LabHost, script: string, timeoutMs = 60_000): Promise<string> {
  const { code, stdout, stderr } = await host.exec(script, { timeoutMs });
  if (code !== 0) throw new Error(`${host.name}: exit code ${code} of: ${script}\n${stderr}`);
  return stdout;
}
