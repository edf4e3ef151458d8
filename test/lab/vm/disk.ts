import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeHostKeys } from "../host-keys.ts";
import { hostDisk } from "../paths.ts";
import type { HostRecord } from "../record.ts";
import { runOk } from "../run.ts";
import { imageDisk } from "./image.ts";

export const diskFile = (lab: string, host: string): string => join(hostDisk(lab, host), "disk.qcow2");
export const seedFile = (lab: string, host: string): string => join(hostDisk(lab, host), "seed.iso");

/** Locally administered; the last parts are the address's. */
export const hardwareAddress = (address: string): string =>
  [
    "52:54:00",
    ...address
      .split(".")
      .slice(1)
      .map((part) => Number(part).toString(16).padStart(2, "0")),
  ].join(":");

/**
 * Makes a machine's empty disk over its image, and what tells its cloud-init who it is (NoCloud: a CD called cidata).
 * Returns its lines for known_hosts.
 */
export async function createVmDisk(lab: string, host: HostRecord, publicKeyFile: string): Promise<string[]> {
  const directory = hostDisk(lab, host.name);
  const seed = join(directory, "seed");
  await mkdir(seed, { recursive: true, mode: 0o700 });
  const keys = await makeHostKeys(directory, host);
  const put = (name: string, content: unknown, first = "") =>
    // cloud-init reads YAML, which JSON is.
    writeFile(join(seed, name), `${first}${JSON.stringify(content, undefined, 2)}\n`);
  await put("meta-data", { "instance-id": randomUUID(), "local-hostname": host.name });
  await put(
    "user-data",
    {
      users: [{ name: "ops", ssh_authorized_keys: [(await readFile(publicKeyFile, "utf8")).trim()] }],
      ssh_deletekeys: true,
      ssh_keys: Object.fromEntries(
        await Promise.all(
          keys.flatMap(({ type, file }) => [
            readFile(file, "utf8").then((text) => [`${type}_private`, text]),
            readFile(`${file}.pub`, "utf8").then((text) => [`${type}_public`, text.trim()]),
          ]),
        ),
      ),
      manage_etc_hosts: "localhost",
      apt: { preserve_sources_list: true },
      // cloud-init's own default is one that a minimal Debian lacks, and it fails there.
      locale: false,
    },
    "#cloud-config\n",
  );
  await put("network-config", {
    version: 2,
    ethernets: {
      lan: {
        match: { macaddress: hardwareAddress(host.address) },
        addresses: [`${host.address}/24`],
        "accept-ra": false,
      },
    },
  });
  await runOk("xorrisofs", [
    "-quiet",
    "-volid",
    "cidata",
    "-joliet",
    "-rock",
    "-output",
    seedFile(lab, host.name),
    seed,
  ]);
  await runOk("qemu-img", [
    ...["create", "-q", "-f", "qcow2", "-F", "raw", "-b", imageDisk(host.base), diskFile(lab, host.name)],
  ]);
  return keys.map(({ knownHost }) => knownHost);
}
