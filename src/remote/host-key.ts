import { HostUnreachable } from "../errors.ts";
import { shellQuote } from "../shell-quote.ts";
import type { EffectiveSettings } from "./effective-settings.ts";
import {
  fingerprint,
  type HostKeyVerdict,
  hashedName,
  judgeHostKey,
  type KnownHostsEntry,
  keyTypeOf,
  knownHostsName,
  knownKeyTypes,
} from "./known-hosts.ts";
import { appendKnownHost, readKnownHosts, readRevokedKeys } from "./known-hosts-file.ts";
import { sshCommand } from "./ssh-command.ts";

export interface HostKeyQuestion {
  /** The host's name in the inventory, or what ssh_config calls the jump host. */
  readonly host: string;
  /** The name under which known_hosts would keep it. */
  readonly name: string;
  readonly keyType: string;
  readonly fingerprint: string;
  /** The file the key is added to. */
  readonly file: string;
}

/** Asks a person whether a key that no file knows is the host's. */
export type AskHostKey = (question: HostKeyQuestion) => Promise<boolean>;

/** In the order of OpenSSH's default. No ssh-rsa: its signatures use SHA-1. */
const HOST_KEY_ALGORITHMS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;
export type HostKeyAlgorithm = (typeof HOST_KEY_ALGORITHMS)[number];

/** Decides about the key that one host presents, as its known_hosts files and its mode say. */
export class HostKeyCheck {
  readonly #settings: EffectiveSettings;
  readonly #ask: AskHostKey | undefined;
  readonly #entries: readonly KnownHostsEntry[];
  readonly #names: readonly string[];

  private constructor(
    settings: EffectiveSettings,
    entries: readonly KnownHostsEntry[],
    names: readonly string[],
    ask: AskHostKey | undefined,
  ) {
    this.#settings = settings;
    this.#entries = entries;
    this.#names = names;
    this.#ask = ask;
  }

  /** Reads the files. Throws HostUnreachable at stage "host key" when one is there and cannot be read. */
  static async read(settings: EffectiveSettings, ask: AskHostKey | undefined): Promise<HostKeyCheck> {
    try {
      return new HostKeyCheck(settings, await entriesOf(settings), namesOf(settings), ask);
    } catch (error) {
      throw refused(
        settings,
        `a known_hosts file cannot be read, so no key can be trusted: ${wordsOf(error)}`,
        error,
      );
    }
  }

  /** What to offer the host: the types it is known by first. */
  get algorithms(): HostKeyAlgorithm[] {
    const known = new Set(
      knownKeyTypes(this.#entries, this.#names).flatMap((type) =>
        type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type],
      ),
    );
    return [
      ...HOST_KEY_ALGORITHMS.filter((name) => known.has(name)),
      ...HOST_KEY_ALGORITHMS.filter((name) => !known.has(name)),
    ];
  }

  /** Resolves when the key is the host's. Throws HostUnreachable at stage "host key" otherwise. */
  async accept(key: Buffer): Promise<void> {
    const bits = rsaBitsOf(key);
    const least = this.#settings.requiredRsaBits.value;
    if (bits !== undefined && bits < least) {
      throw refused(
        this.#settings,
        `its RSA key ${fingerprint(key)} has ${bits} bits, and ${least} are the least that is trusted. ` +
          "Give the host an Ed25519 key (ssh-keygen -A makes one), or a longer RSA key.",
      );
    }
    const verdict = judgeHostKey(this.#entries, this.#names, key);
    if (verdict.is === "known") return;
    const { hostKeys, knownHostsFiles } = this.#settings;
    if (verdict.is === "unknown") {
      if (hostKeys.value === "accept-new") return this.#remember(key);
      const file = knownHostsFiles.value[0];
      if (hostKeys.value === "ask" && this.#ask !== undefined && file !== undefined) {
        const yes = await this.#ask({
          host: this.#settings.host,
          name: this.#names[0] ?? "",
          keyType: keyTypeOf(key),
          fingerprint: fingerprint(key),
          file,
        });
        if (yes) return this.#remember(key);
        throw refused(this.#settings, `its ${keyTypeOf(key)} key ${fingerprint(key)} was not accepted`);
      }
    }
    throw refused(this.#settings, explain(verdict, this.#settings, this.#names[0] ?? "", key));
  }

  async #remember(key: Buffer): Promise<void> {
    const settings = this.#settings;
    const file = settings.knownHostsFiles.value[0];
    if (file === undefined)
      throw refused(settings, "host_keys is accept-new, and no known_hosts file is named");
    try {
      await appendKnownHost(file, async () => {
        // Another connection may have added a key for the same host in the meantime.
        const verdict = judgeHostKey(await entriesOf(settings), this.#names, key);
        if (verdict.is === "known") return undefined;
        if (verdict.is !== "unknown") {
          throw refused(settings, explain(verdict, settings, this.#names[0] ?? "", key));
        }
        const name = this.#names[0] ?? "";
        return `${settings.hashKnownHosts.value ? hashedName(name) : name} ${keyTypeOf(key)} ${key.toString("base64")}`;
      });
    } catch (error) {
      if (error instanceof HostUnreachable) throw error;
      throw refused(settings, `its key could not be added to ${file}: ${wordsOf(error)}`, error);
    }
  }
}

async function entriesOf(settings: EffectiveSettings): Promise<KnownHostsEntry[]> {
  const { knownHostsFiles, globalKnownHostsFiles, revokedHostKeys } = settings;
  return [
    ...(await readKnownHosts([...knownHostsFiles.value, ...globalKnownHostsFiles.value])),
    ...(await readRevokedKeys(revokedHostKeys.value)),
  ];
}

/** An alias stands for itself; a port that is not 22 belongs to the name, and the bare name is a second chance. */
function namesOf(settings: EffectiveSettings): string[] {
  const alias = settings.hostKeyAlias.value;
  if (alias !== undefined) return [alias.toLowerCase()];
  const hostName = settings.hostName.value;
  return [...new Set([knownHostsName(hostName, settings.port.value), knownHostsName(hostName, 22)])];
}

function explain(verdict: HostKeyVerdict, settings: EffectiveSettings, name: string, key: Buffer): string {
  const presented = `${keyTypeOf(key)} key ${fingerprint(key)}`;
  switch (verdict.is) {
    case "changed":
    case "other type": {
      const { file, line } = verdict.entry;
      const known = `${verdict.entry.keyType} key ${fingerprint(verdict.entry.key)}`;
      return (
        `the host key of ${name} has changed, or another machine answers in its place. ` +
        `It presents the ${presented}; ${file}:${line} has the ${known}. ` +
        `If the host was installed anew, check the fingerprint on its console ` +
        `(ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then: ssh-keygen -R ${shellQuote(name)} -f ${shellQuote(file)}`
      );
    }
    case "revoked":
      return `its ${presented} is revoked by ${verdict.entry.file}:${verdict.entry.line}. Give the host a new key.`;
    default: {
      const file = settings.knownHostsFiles.value[0] ?? "~/.ssh/known_hosts";
      const authority =
        verdict.is === "unknown" && verdict.authority !== undefined
          ? `${verdict.authority.file}:${verdict.authority.line} trusts a certificate authority for it, which meshctl cannot check (host certificates are not supported): the key itself must be known. `
          : "";
      const port = settings.port.value === 22 ? "" : `-p ${settings.port.value} `;
      const scan = `ssh-keyscan -t ${scanTypeOf(key)} ${port}${shellQuote(settings.hostName.value)}`;
      const add =
        settings.proxyJump.value === undefined &&
        settings.proxyCommand.value === undefined &&
        settings.hostKeyAlias.value === undefined
          ? `${scan} >> ${shellQuote(file)}`
          : `${sshCommand(settings)} true`;
      return (
        `no known_hosts file has a key for ${name}. ${authority}It presents the ${presented}. ` +
        `Compare that with ssh-keygen -lf on the host's console, then: ${add} ` +
        `(or set host_keys: accept-new to trust new hosts at first sight)`
      );
    }
  }
}

/** Length of an RSA key's modulus, from its wire encoding (RFC 4253, 6.6); undefined for keys of another type. */
function rsaBitsOf(key: Buffer): number | undefined {
  if (keyTypeOf(key) !== "ssh-rsa") return undefined;
  let at = 0;
  const next = () => {
    const length = at + 4 <= key.length ? key.readUInt32BE(at) : 0;
    const value = key.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return value;
  };
  next();
  next();
  const modulus = next();
  const first = modulus.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : 8 * (modulus.length - first - 1) + modulus[first]!.toString(2).length;
}

/** As ssh-keyscan names key types. */
function scanTypeOf(key: Buffer): string {
  const type = keyTypeOf(key);
  if (type.startsWith("ecdsa-")) return "ecdsa";
  return type === "ssh-rsa" ? "rsa" : "ed25519";
}

function refused(settings: EffectiveSettings, message: string, cause?: unknown): HostUnreachable {
  return new HostUnreachable(settings.host, "host key", `host key: ${message}`, { cause });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
