import { hostname } from "node:os";
import { join } from "node:path";
import type { HostName } from "../contract/inventory-view.ts";
import { ConfigurationError, HostUnreachable } from "../errors.ts";
import type { SshSettings } from "../inventory/ssh-settings.ts";
import { localUser } from "../local-user.ts";
import { type SshConfigReader, sshConfigReader } from "./ssh-config.ts";
import type { SshConfigValues } from "./ssh-config-values.ts";

/** "route": a jump host's own jump host, as the list of hops before it says. */
type Origin = "inventory" | "ssh_config" | "default" | "route";

/** A value and where it came from. */
interface Setting<T> {
  readonly value: T;
  readonly from: Origin;
}

/** How a host is reached once inventory, ssh_config and defaults are put together. Holds no secret. */
export interface EffectiveSettings {
  /** Its name in messages: the inventory's. */
  readonly host: HostName;
  /** The name that ssh_config was asked for. */
  readonly alias: string;
  /** Which SSH client makes the connection: meshctl's own, or the system's ssh. */
  readonly client: Setting<"built-in" | "openssh">;
  readonly hostName: Setting<string>;
  readonly port: Setting<number>;
  readonly user: Setting<string>;
  readonly identityFiles: Setting<readonly string[]>;
  readonly identitiesOnly: Setting<boolean>;
  /** Path of the agent's socket; undefined: no agent. */
  readonly identityAgent: Setting<string | undefined>;
  readonly certificateFiles: Setting<readonly string[]>;
  /** As ssh_config writes it: "user@first:2222,second". */
  readonly proxyJump: Setting<string | undefined>;
  /** Tokens (%h, %p, %r …) already expanded. */
  readonly proxyCommand: Setting<string | undefined>;
  readonly hostKeyAlias: Setting<string | undefined>;
  readonly knownHostsFiles: Setting<readonly string[]>;
  readonly globalKnownHostsFiles: Setting<readonly string[]>;
  /** Files of keys that nobody may present, beside what known_hosts says. */
  readonly revokedHostKeys: Setting<readonly string[]>;
  /** Shorter RSA keys of hosts are refused: 2048 bits, or more where ssh_config says so. */
  readonly requiredRsaBits: Setting<number>;
  /** Keep the names of new hosts hashed. */
  readonly hashKnownHosts: Setting<boolean>;
  readonly hostKeys: Setting<"strict" | "accept-new" | "ask">;
  readonly privilege: Setting<SshSettings["privilege"]>;
  readonly connectTimeoutMs: Setting<number>;
  /** Between keepalives; undefined: meshctl's own. There always are some. */
  readonly keepaliveMs: Setting<number | undefined>;
  /** So many keepalives without an answer end the connection. */
  readonly keepaliveCountMax: Setting<number>;
  readonly addressFamily: Setting<"any" | "inet" | "inet6">;
  readonly bindAddress: Setting<string | undefined>;
  /** What ssh_config says and meshctl does otherwise, as ssh_config writes it: "CheckHostIP yes". */
  readonly notHeeded: Setting<readonly string[]>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const REQUIRED_RSA_BITS = 2048;
/**
 * Settings of ssh_config about whom to trust, how to get in and what to speak that the SSH library has no way for, with
 * the value that meshctl goes by where it is one.
 */
const NOT_HEEDED: Readonly<Record<string, "yes" | "no" | undefined>> = {
  CASignatureAlgorithms: undefined,
  CertificateFile: undefined,
  CheckHostIP: "no",
  Ciphers: undefined,
  Compression: "no",
  GSSAPIAuthentication: "no",
  HostbasedAuthentication: "no",
  HostKeyAlgorithms: undefined,
  KbdInteractiveAuthentication: "yes",
  KexAlgorithms: undefined,
  KnownHostsCommand: undefined,
  MACs: undefined,
  NoHostAuthenticationForLocalhost: "no",
  PasswordAuthentication: "yes",
  PKCS11Provider: undefined,
  PreferredAuthentications: undefined,
  ProxyUseFdpass: "no",
  PubkeyAcceptedAlgorithms: undefined,
  PubkeyAuthentication: "yes",
  RekeyLimit: undefined,
  SecurityKeyProvider: undefined,
  UpdateHostKeys: "no",
  VerifyHostKeyDNS: "no",
};
const DEFAULT_IDENTITY_FILES = ["id_rsa", "id_ecdsa", "id_ed25519"].map((name) => join("~/.ssh", name));
const DEFAULT_GLOBAL_KNOWN_HOSTS = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

const shared = sshConfigReader(undefined, () => {});

/**
 * How a host would be reached: the inventory first, then what `ssh` would do, key by key.
 * Throws HostUnreachable at stage "settings" when a name is unusable or ssh_config is wrong.
 */
export async function effectiveSettings(
  host: HostName,
  settings: SshSettings,
  config: SshConfigReader = shared,
): Promise<EffectiveSettings> {
  refuseHostile(host, "ssh.host", settings.host, /[\s\x00-\x1f\x7f'`"$\\;&<>|(){}]/);
  if (settings.user !== undefined)
    refuseHostile(host, "ssh.user", settings.user, /[\x00-\x1f\x7f'`";&<>|(){}]/);
  try {
    const [values, defaults] = await Promise.all([
      config.valuesFor({ name: settings.host, user: settings.user, port: settings.port }),
      config.defaults(),
    ]);
    return combine(host, settings, values, defaults);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      throw new HostUnreachable(host, "settings", `settings: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Pure but for the environment and the home folder, which ssh_config values may name. */
export function combine(
  host: HostName,
  settings: SshSettings,
  values: SshConfigValues,
  defaults: SshConfigValues,
): EffectiveSettings {
  const pick = <T>(
    inventory: T | undefined,
    keyword: string,
    read: (texts: readonly string[]) => T,
    fallback: T,
  ) => {
    if (inventory !== undefined) return { value: inventory, from: "inventory" } satisfies Setting<T>;
    const texts = values.get(keyword);
    if (texts === undefined) return { value: fallback, from: "default" } satisfies Setting<T>;
    // ssh -G does not tell a default from the same value written down; nor does it matter.
    const from = sameTexts(texts, defaults.get(keyword)) ? "default" : "ssh_config";
    return { value: read(texts), from } satisfies Setting<T>;
  };
  const first = (texts: readonly string[]) => texts[0] ?? "";
  const optional = (texts: readonly string[]) => (isNone(first(texts)) ? undefined : first(texts));

  const user: Setting<string> = pick(settings.user, "user", first, localUser().name);
  const port: Setting<number> = pick(settings.port, "port", (texts) => Number(first(texts)), 22);
  const hostNameValue = values.get("hostname")?.[0] ?? settings.host;
  const hostName: Setting<string> =
    hostNameValue === settings.host
      ? { value: settings.host, from: "inventory" }
      : { value: hostNameValue, from: "ssh_config" };
  const expand = (text: string) => expandTokens(text, settings.host, hostName.value, port.value, user.value);
  const path = (text: string) => expandPath(expand(text));
  const paths = (texts: readonly string[]) => texts.filter((text) => !isNone(text)).map(path);
  const pathList = (texts: readonly string[]) => paths(texts.flatMap((text) => text.split(/[ \t]+/)));

  return {
    host,
    alias: settings.host,
    client: {
      value: settings.client ?? "built-in",
      from: settings.client === undefined ? "default" : "inventory",
    },
    hostName,
    port,
    user,
    identityFiles: pick<readonly string[]>(
      settings.identityFiles,
      "identityfile",
      paths,
      DEFAULT_IDENTITY_FILES.map(path),
    ),
    identitiesOnly: pick(undefined, "identitiesonly", (texts) => isYes(first(texts)), false),
    identityAgent: pick(undefined, "identityagent", (texts) => agentPath(first(texts), path), agentSocket()),
    certificateFiles: pick<readonly string[]>(undefined, "certificatefile", paths, []),
    proxyJump: pick(undefined, "proxyjump", optional, undefined),
    proxyCommand: pick(
      undefined,
      "proxycommand",
      (texts) => {
        const command = optional(texts);
        return command === undefined ? undefined : expand(command);
      },
      undefined,
    ),
    hostKeyAlias: pick(undefined, "hostkeyalias", optional, undefined),
    knownHostsFiles: pick<readonly string[]>(
      settings.knownHostsFiles,
      "userknownhostsfile",
      pathList,
      ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"].map(path),
    ),
    globalKnownHostsFiles: pick<readonly string[]>(
      undefined,
      "globalknownhostsfile",
      pathList,
      DEFAULT_GLOBAL_KNOWN_HOSTS,
    ),
    revokedHostKeys: pick<readonly string[]>(undefined, "revokedhostkeys", paths, []),
    requiredRsaBits: requiredRsaBits(values),
    hashKnownHosts: pick(undefined, "hashknownhosts", (texts) => isYes(first(texts)), false),
    hostKeys: hostKeysOf(settings, values),
    privilege: { value: settings.privilege, from: settings.privilege === "auto" ? "default" : "inventory" },
    connectTimeoutMs: pick(
      settings.connectTimeoutMs,
      "connecttimeout",
      // Without a limit, as ssh has it by default and with 0, a host that does not answer would hold up a whole run.
      (texts) => timeMs(first(texts)) ?? CONNECT_TIMEOUT_MS,
      CONNECT_TIMEOUT_MS,
    ),
    keepaliveMs: pick<number | undefined>(
      undefined,
      "serveraliveinterval",
      (texts) => timeMs(first(texts)),
      undefined,
    ),
    keepaliveCountMax: pick(undefined, "serveralivecountmax", (texts) => Number(first(texts)), 3),
    addressFamily: pick<"any" | "inet" | "inet6">(
      undefined,
      "addressfamily",
      (texts) => (first(texts) === "inet" || first(texts) === "inet6" ? (first(texts) as "inet") : "any"),
      "any",
    ),
    bindAddress: pick(undefined, "bindaddress", optional, undefined),
    // OpenSSH heeds what is its own.
    notHeeded: settings.client === "openssh" ? { value: [], from: "default" } : notHeeded(values, defaults),
  };
}

/**
 * OpenSSH's own default is to ask; ours is to refuse. So "ask" from ssh_config, which looks like the default, is
 * strict, and "no" is no more than accept-new: a changed key is refused whatever ssh_config says.
 */
function hostKeysOf(settings: SshSettings, values: SshConfigValues): EffectiveSettings["hostKeys"] {
  if (settings.hostKeys !== undefined) return { value: settings.hostKeys, from: "inventory" };
  switch (values.get("stricthostkeychecking")?.[0]?.toLowerCase()) {
    case "accept-new":
    case "no":
    case "off":
    case "false":
      return { value: "accept-new", from: "ssh_config" };
    case "yes":
    case "true":
      return { value: "strict", from: "ssh_config" };
    default:
      return { value: "strict", from: "default" };
  }
}

/** No less than meshctl's own: OpenSSH's is 1024. */
function requiredRsaBits(values: SshConfigValues): EffectiveSettings["requiredRsaBits"] {
  const asked = Number(values.get("requiredrsasize")?.[0]);
  return asked > REQUIRED_RSA_BITS
    ? { value: asked, from: "ssh_config" }
    : { value: REQUIRED_RSA_BITS, from: "default" };
}

function notHeeded(values: SshConfigValues, defaults: SshConfigValues): EffectiveSettings["notHeeded"] {
  const told = Object.entries(NOT_HEEDED).flatMap(([name, ours]) => {
    const texts = values.get(name.toLowerCase());
    if (texts === undefined || sameTexts(texts, defaults.get(name.toLowerCase()))) return [];
    const isOurs = (text: string) =>
      ours === "yes" ? isYes(text) : ours === "no" && ["no", "false"].includes(text.toLowerCase());
    return texts.flatMap((text) => (isOurs(text) || isNone(text) ? [] : [`${name} ${text}`]));
  });
  return { value: told, from: told.length === 0 ? "default" : "ssh_config" };
}

/** Set to nothing it means that there is none. */
function agentSocket(): string | undefined {
  return process.env.SSH_AUTH_SOCK || undefined;
}

function agentPath(text: string, path: (text: string) => string): string | undefined {
  if (isNone(text)) return undefined;
  if (text === "SSH_AUTH_SOCK") return agentSocket();
  if (text.startsWith("$") && !text.startsWith("${")) return process.env[text.slice(1)];
  return path(text);
}

/** The tokens of ssh_config(5) that do not need a connection. */
function expandTokens(text: string, alias: string, hostName: string, port: number, user: string): string {
  const tokens: Record<string, string> = {
    "%": "%",
    d: localUser().home,
    h: hostName,
    i: String(localUser().uid),
    k: hostName,
    l: hostname(),
    L: hostname().split(".")[0] ?? "",
    n: alias,
    p: String(port),
    r: user,
    u: localUser().name,
  };
  return text.replace(/%(.)/g, (whole, letter: string) => tokens[letter] ?? whole);
}

function expandPath(text: string): string {
  const unquoted = text.replace(/^"(.*)"$/, "$1");
  const named = unquoted.replace(/\$\{(\w+)\}/g, (whole, name: string) => process.env[name] ?? whole);
  return named === "~" || named.startsWith("~/") ? join(localUser().home, named.slice(1)) : named;
}

/** As OpenSSH refuses them: such a name could turn into an option, or into shell text in a ProxyCommand. */
function refuseHostile(host: HostName, key: string, value: string, forbidden: RegExp): void {
  if (value === "" || value.startsWith("-") || value.endsWith("\\") || forbidden.test(value)) {
    throw new HostUnreachable(host, "settings", `settings: ${key} cannot be used: ${JSON.stringify(value)}`);
  }
}

function sameTexts(one: readonly string[], other: readonly string[] | undefined): boolean {
  return other !== undefined && one.join("\n") === other.join("\n");
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/** A time as sshd_config(5) writes it, "90" or "1m30s"; undefined when it is none, 0, or cannot be understood. */
function timeMs(text: string): number | undefined {
  if (text === "" || !/^(?:\d+[smhdw])*\d*$/i.test(text)) return undefined;
  const parts = [...text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)];
  const seconds = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * SECONDS[(unit || "s") as keyof typeof SECONDS],
    0,
  );
  // A timer that is set for longer fires at once.
  return seconds === 0 ? undefined : Math.min(seconds * 1_000, 2 ** 31 - 1);
}

function isNone(text: string): boolean {
  return text.toLowerCase() === "none" || text === "";
}

function isYes(text: string): boolean {
  return ["yes", "true"].includes(text.toLowerCase());
}
