import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostRecord } from "./record.ts";
import { runOk } from "./run.ts";

interface HostKey {
  readonly type: string;
  /** Its private half; the public one is beside it. */
  readonly file: string;
  /** Its line of known_hosts. */
  readonly knownHost: string;
}

/** Makes a host's keys in a folder, by the names that sshd looks for. */
export function makeHostKeys(directory: string, host: HostRecord): Promise<HostKey[]> {
  const made = ["ed25519", "ecdsa"].map(async (type) => {
    const file = join(directory, `ssh_host_${type}_key`);
    await runOk("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", `root@${host.name}`, "-f", file]);
    const [algorithm, key] = (await readFile(`${file}.pub`, "utf8")).split(" ");
    return { type, file, knownHost: `${host.address},${host.name} ${algorithm} ${key}` };
  });
  return Promise.all(made);
}
