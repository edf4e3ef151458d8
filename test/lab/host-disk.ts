import { randomBytes } from "node:crypto";
import { chown, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeHostKeys } from "./host-keys.ts";
import { hostDisk } from "./paths.ts";
import type { HostRecord } from "./record.ts";

const opsUserId = 1000;

/**
 * Lays out a host's disk over its base image: its name, address and keys, as the files a new machine has.
 * Returns its lines for known_hosts, read from the disk and not asked over the network.
 */
export async function createHostDisk(
  lab: string,
  host: HostRecord,
  sources: readonly string[],
  publicKeyFile: string,
): Promise<string[]> {
  const disk = hostDisk(lab, host.name);
  const upper = join(disk, "upper");
  for (const part of ["upper", "work", "root"])
    await mkdir(join(disk, part), { recursive: true, mode: 0o755 });
  const put = async (path: string, lines: readonly string[]): Promise<void> => {
    await mkdir(join(upper, path, ".."), { recursive: true, mode: 0o755 });
    await writeFile(join(upper, path), `${lines.join("\n")}\n`, { mode: 0o644 });
  };
  await put("etc/hostname", [host.name]);
  await put("etc/hosts", ["127.0.0.1\tlocalhost", `127.0.1.1\t${host.name}`, "::1\tlocalhost ip6-localhost"]);
  await put("etc/machine-id", [randomBytes(16).toString("hex")]);
  await put("etc/apt/sources.list", sources);
  // Sorts before systemd's own 80-container-host0, which would ask for an address by DHCP.
  await put("etc/systemd/network/10-host0.network", [
    ...["[Match]", "Name=host0", "", "[Network]", `Address=${host.address}/24`],
    ...["LinkLocalAddressing=no", "IPv6AcceptRA=no"],
  ]);

  const keys = join(upper, "home/ops/.ssh/authorized_keys");
  await mkdir(join(keys, ".."), { recursive: true, mode: 0o700 });
  await copyFile(publicKeyFile, keys);
  for (const path of [join(upper, "home/ops"), join(keys, ".."), keys])
    await chown(path, opsUserId, opsUserId);

  const sshDirectory = join(upper, "etc/ssh");
  await mkdir(sshDirectory, { recursive: true, mode: 0o755 });
  return (await makeHostKeys(sshDirectory, host)).map(({ knownHost }) => knownHost);
}
