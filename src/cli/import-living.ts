import type { HostName } from "../contract/inventory-view.ts";
import { exitCodeOf } from "../engine/exit-code.ts";
import { ConfigurationError, isAway } from "../errors.ts";
import type { Living, LivingHost } from "../import/living.ts";
import { type LivingParts, lookAtLiving } from "../import/look-at-living.ts";
import { reachedBy, sshOf } from "../init/inventory-text.ts";
import { meshAddress } from "../init/mesh-address.ts";
import { typedHosts } from "../init/typed-hosts.ts";
import type { SshSettings } from "../inventory/ssh-settings.ts";
import { lookAtNamed } from "./init-look.ts";
import { shownText } from "./shown.ts";

export interface LivingFlags {
  readonly user?: string;
  readonly identityFile?: string;
  readonly knownHosts?: string;
  readonly hostKeys?: SshSettings["hostKeys"];
  readonly parallel: number;
  readonly color: boolean;
}

/** Hosts that were read, and with which exit code: 4 and 5 where some did not answer. Throws ConfigurationError. */
export async function lookAtRunning(
  from: string,
  flags: LivingFlags,
): Promise<{ readonly living: Living; readonly exitCode: number }> {
  const say = (text: string) => process.stderr.write(`${shownText(text)}\n`);
  const login = {
    ...(flags.user === undefined ? {} : { user: flags.user }),
    ...(flags.identityFile === undefined ? {} : { identityFile: flags.identityFile }),
  };
  const named = typedHosts(from, "--from").map((host) => ({ ...host, ssh: { ...login, ...host.ssh } }));
  say(`Reading ${named.length === 1 ? "1 host" : `${named.length} hosts`}: nothing is changed.`);
  const found = new Map<
    HostName,
    { parts: LivingParts; addresses: readonly string[]; virtualization: string }
  >();
  const { hosts, names, notes, unseen } = await lookAtNamed(named, {
    look: true,
    parallel: flags.parallel,
    color: flags.color,
    json: false,
    hostKeys: flags.hostKeys,
    knownHosts: flags.knownHosts,
    // Relative paths are this folder's.
    file: "./inventory.yaml",
    more: async (host, reader, { addresses, virtualization, hardOpenFiles, cpus }) => {
      const parts = await lookAtLiving(reader, host, { hardOpenFiles, cpus });
      found.set(host, { parts, addresses, virtualization });
    },
  });
  for (const note of notes) say(`! ${note}`);
  for (const error of unseen) say(`! ${error.message}`);
  const given = new Map([...names].map(([before, name]) => [name, before]));
  const living = hosts.flatMap((host): LivingHost[] => {
    const read = found.get(given.get(host.name) ?? host.name);
    if (read === undefined) return [];
    const { parts, addresses, virtualization } = read;
    const address = addressOf(parts, addresses) ?? meshAddress(host.address, addresses) ?? host.address;
    const ssh = reachedBy({ ...host, address }, hosts);
    return [{ ...parts, name: host.name, address, addresses, virtualization, ssh }];
  });
  if (living.length === 0) throw new ConfigurationError("--from: none of these hosts could be read");
  return {
    living: {
      hosts: living,
      ssh: sshOf({ hosts, hostKeys: flags.hostKeys, knownHosts: flags.knownHosts }),
      from,
    },
    exitCode: exitCodeOf([
      ...unseen.map((error) => ({ is: isAway(error) ? ("unreachable" as const) : ("failed" as const) })),
      ...living.map(() => ({ is: "as wanted" as const })),
    ]),
  };
}

/** The one that the mesh knows it by already: that which Nerve registers or that a `server.N` line names. */
function addressOf({ files, member }: LivingParts, own: readonly string[]): string | undefined {
  const told = [
    ...files.flatMap(({ text, services }) => [text, ...(services?.values() ?? [])]),
    ...(member?.servers.values() ?? []),
  ].join("\n");
  const isTold = (address: string) =>
    new RegExp(`(?<![\\d.:a-f])${address.replaceAll(".", "\\.")}(?![\\d.])`).test(told);
  const fits = own.filter((address) => !address.startsWith("127.") && address !== "::1" && isTold(address));
  return fits.length === 1 ? fits[0] : undefined;
}
