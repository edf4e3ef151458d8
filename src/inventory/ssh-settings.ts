import type { Secret } from "../secret.ts";

/**
 * What the inventory says about reaching a host: `ssh:` at the top, overridden key by key by `ssh:` of the host.
 * An undefined key is left to ssh_config, then to the default.
 */
export interface SshSettings {
  /** Host name or alias to connect to; default: the host's mesh address. */
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** Absolute paths (the inventory resolves them against its own folder; "~" is expanded). */
  readonly identityFiles: readonly string[] | undefined;
  readonly knownHostsFiles: readonly string[] | undefined;
  readonly hostKeys: "strict" | "accept-new" | "ask" | undefined;
  readonly privilege: "auto" | "root" | "sudo" | "doas";
  readonly password: Secret | undefined;
  readonly sudoPassword: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly connectTimeoutMs: number | undefined;
  /** Which SSH client makes the connection; undefined is meshctl's own. */
  readonly client?: "built-in" | "openssh" | undefined;
}
