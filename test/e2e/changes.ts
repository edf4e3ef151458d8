import type { Command } from "../../src/contract/change.ts";
import type { SshSettings } from "../../src/inventory/ssh-settings.ts";
import { remoteOpener } from "../../src/remote/open.ts";
import type { Remote } from "../../src/remote/remote.ts";
import { scriptText } from "../../src/script-text.ts";
import type { Content } from "../../src/secret.ts";
import type { Lab, LabHost } from "../lab/lab.ts";

export const network = { proxy: undefined, caCertificates: undefined };

/** A connection of meshctl's to a lab host, as root. */
export function openRemote(lab: Lab, host: LabHost): Remote {
  const settings: SshSettings = {
    host: host.address,
    port: 22,
    user: lab.sshUser,
    identityFiles: [lab.identityFile],
    knownHostsFiles: [lab.knownHostsFile],
    hostKeys: "strict",
    privilege: "sudo",
    password: undefined,
    sudoPassword: undefined,
    passphrase: undefined,
    connectTimeoutMs: 5_000,
  };
  return remoteOpener()(host.name, settings);
}

export function write(path: string, content: Content, rest: { mode?: string; owner?: string } = {}): Command {
  return { kind: "write", path, content, mode: "0644", owner: "root:root", ...rest };
}

/** Scripts of the engine, as one. */
export function scripts(...names: string[]): string {
  const folder = (name: string) => (["manifest", "receive"].includes(name) ? "host" : "engine/commands");
  const file = (name: string) => new URL(`../../src/${folder(name)}/${name}.sh`, import.meta.url);
  return names.map((name) => scriptText(file(name))).join("\n");
}
