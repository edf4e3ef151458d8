import type * as z from "zod";
import { resolvePath } from "./resolve-path.ts";
import type { hostEntry, sshSection } from "./schema.ts";
import type { SshSettings } from "./ssh-settings.ts";

/** The settings for a host: its own keys over the inventory's, key by key. */
export function sshSettings(
  entry: z.output<typeof hostEntry>,
  top: z.output<typeof sshSection>,
  /** The file that says a key of the host's own `ssh`, or of the one at the top. */
  fileOf: (of: "host" | "top", key: string) => string,
): SshSettings {
  const merged = { ...top, ...entry.ssh };
  const resolved = (key: "identity_file" | "known_hosts") =>
    merged[key]?.map((path) =>
      resolvePath(path, fileOf(entry.ssh?.[key] === undefined ? "top" : "host", key)),
    );
  return {
    host: entry.ssh?.host ?? entry.address,
    port: merged.port,
    user: merged.user,
    identityFiles: resolved("identity_file"),
    knownHostsFiles: resolved("known_hosts"),
    hostKeys: merged.host_keys,
    privilege: merged.privilege ?? "auto",
    password: merged.password,
    sudoPassword: merged.sudo_password,
    passphrase: merged.passphrase,
    connectTimeoutMs: merged.connect_timeout,
    client: merged.client,
  };
}
