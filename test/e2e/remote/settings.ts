import type { SshSettings } from "../../../src/inventory/ssh-settings.ts";
import type { TestSshd } from "./sshd.ts";

/** Settings that reach a test server as `ops`, with everything else as an inventory without `ssh:` leaves it. */
export function settingsFor(sshd: TestSshd, changed: Partial<SshSettings> = {}): SshSettings {
  return {
    host: "127.0.0.1",
    port: sshd.port,
    user: "ops",
    identityFiles: [sshd.identityFile],
    knownHostsFiles: [sshd.knownHostsFile],
    hostKeys: undefined,
    privilege: "auto",
    password: undefined,
    sudoPassword: undefined,
    passphrase: undefined,
    connectTimeoutMs: 3_000,
    client: process.env.MESHCTL_TEST_CLIENT === "openssh" ? "openssh" : undefined,
    ...changed,
  };
}
