import type * as z from "zod";
import { resolvePath } from "./resolve-path.ts";
import type { hostEntry, sshSection } from "./schema.ts";
import type { SshSettings } from "./ssh-settings.ts";

/** The settings for a host: its own keys over the inventory's, key by key. */
export function sshSettings(
  entry: z.output<typeof hostEntry>,
  top: z.output<typeof sshSection>,
  inventoryFile: string,
): SshSettings {
  const merged = { ...top, ...entry.ssh };
  const resolved = (paths: readonly string[] | undefined) =>
    paths?.map((path) => resolvePath(path, inventoryFile));
  return {
    host: entry.ssh?.host ?? entry.address,
    port: merged.port,
    user: merged.user,
    identityFiles: resolved(merged.identity_file),
    knownHostsFiles: resolved(merged.known_hosts),
    hostKeys: merged.host_keys,
    privilege: merged.privilege ?? "auto",
    password: merged.password,
    sudoPassword: merged.sudo_password,
    passphrase: merged.passphrase,
    connectTimeoutMs: merged.connect_timeout,
    client: merged.client,
  };
}
