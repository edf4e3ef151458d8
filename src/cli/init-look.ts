import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { HostName } from "../contract/inventory-view.ts";
import { type FirstFacts, lookAtHost } from "../engine/host-facts.ts";
import { lookAt } from "../engine/look.ts";
import { readerOf } from "../engine/readers.ts";
import { ConfigurationError, HostUnreachable } from "../errors.ts";
import type { LookedHost, Seen } from "../init/looked-host.ts";
import { meshAddress } from "../init/mesh-address.ts";
import { inventoryName, type NamedHost } from "../init/named-host.ts";
import { resolvePath } from "../inventory/resolve-path.ts";
import type { SshSettings } from "../inventory/ssh-settings.ts";
import { NotRead, reasonOf } from "../reader/answer.ts";
import type { Reader } from "../reader/reader.ts";
import { effectiveSettings } from "../remote/effective-settings.ts";
import type { Remote } from "../remote/remote.ts";
import { quotable } from "../terminal-text.ts";
import { onHosts } from "./on-hosts.ts";

const SUPPORTED = ["11", "12", "13"];

interface HowToLook {
  readonly look: boolean;
  readonly parallel: number;
  readonly color: boolean;
  readonly json: boolean;
  readonly hostKeys: SshSettings["hostKeys"];
  readonly knownHosts: string | undefined;
  /** The inventory to be, for its relative paths. */
  readonly file: string;
  /** What else is read of each host, by the name that it was given. Its failure is the look's. */
  readonly more?: (host: HostName, reader: Reader, facts: FirstFacts) => Promise<void>;
}

/** What a look gave, with what is not the inventory's to know. */
interface Looked {
  readonly seen: Seen;
  readonly addresses: readonly string[];
  /** Its own, as /etc/hostname has it. */
  readonly hostname: string | undefined;
}

interface LookedHosts {
  readonly hosts: readonly LookedHost[];
  /** How each host is named now that was named by its address, or otherwise; without those that are left out. */
  readonly names: ReadonlyMap<HostName, HostName>;
  /** On what is left out, a sentence each. */
  readonly notes: readonly string[];
  /** Why hosts could not be looked at. */
  readonly unseen: readonly Error[];
}

/**
 * Hosts with their mesh addresses and what was found on them; those whose address cannot be told are left out. Changes
 * nothing. Throws ConfigurationError where none is left, and where ssh could not be told how a host is reached.
 */
export async function lookAtNamed(named: readonly NamedHost[], how: HowToLook): Promise<LookedHosts> {
  const settings = new Map(named.map((host) => [host.name, settingsOf(host, how)]));
  const reached = new Map<HostName, string>();
  await Promise.all([...settings].map(async ([name, ssh]) => reached.set(name, await hostNameOf(name, ssh))));
  const looks = how.look ? await looksAt(settings, how) : new Map<HostName, Looked | Error>();
  const notes: string[] = [];
  const names = new Map<HostName, HostName>();
  const hosts: LookedHost[] = [];
  const lost: string[] = [];
  const byAddress = new Map<string, HostName>();
  const taken = new Set(named.map(({ name }) => name));
  for (const host of named) {
    const look = looks.get(host.name);
    const looked = look instanceof Error ? undefined : look;
    const address = meshAddress(host.address ?? (await resolved(reached.get(host.name)!)), looked?.addresses);
    if (address === undefined) {
      lost.push(withoutAddress(host, look));
      continue;
    }
    const twin = byAddress.get(address);
    if (twin !== undefined) {
      notes.push(`${host.name} is left out: ${address} is ${twin}'s address already`);
      continue;
    }
    const name = isIP(host.name) === 0 ? host.name : properName(host.name, looked?.hostname, taken);
    const failed = look instanceof Error ? { because: oneSentence(look.message) } : undefined;
    names.set(host.name, name);
    taken.add(name);
    byAddress.set(address, name);
    hosts.push({ ...host, name, address, seen: looked?.seen ?? failed });
  }
  if (hosts.length === 0) throw new ConfigurationError(lost.join("\n"));
  return {
    hosts,
    names,
    notes: [...notes, ...lost],
    unseen: [...looks.values()].filter((look) => look instanceof Error),
  };
}

function withoutAddress({ name, ssh, from }: NamedHost, look: Looked | Error | undefined): string {
  const why = look instanceof Error ? `: ${firstSentence(look.message)}` : "";
  const named =
    isIP(ssh.host) === 0 ? `the name ${ssh.host} leads to no such address` : `${ssh.host} is none`;
  const how = from === "--hosts" ? `Type it with its address: ${name}=10.0.0.4` : "Say there which it is";
  return `${from}: ${name} is left out: by which address others reach it is not known. ${capitalized(named)}, and the host was not looked into${why}. ${how}`;
}

/** Without what to do about it, which is another thing where there is no inventory yet. */
function firstSentence(message: string): string {
  return oneSentence(message.replace(/\. [A-Z].*$/s, ""));
}

function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function oneSentence(message: string): string {
  return quotable(message.split("\n", 1)[0]!).slice(0, 200);
}

/** A host that was named by its address goes by its own name, where it has one that no other has. */
function properName(address: string, hostname: string | undefined, taken: ReadonlySet<HostName>): HostName {
  const own = hostname === undefined ? undefined : inventoryName(hostname.split(".", 1)[0]!);
  return own === undefined || taken.has(own) || own === "localhost"
    ? // "fd00::1" is not "fd00:1::".
      `host-${address.replace(/::$/, "::0").replace(/[^0-9a-f]/g, "-")}`
    : own;
}

async function looksAt(
  settings: ReadonlyMap<HostName, SshSettings>,
  { parallel, color, json, more }: HowToLook,
): Promise<ReadonlyMap<HostName, Looked | Error>> {
  const inventory = { hosts: new Map([...settings].map(([name, ssh]) => [name, { ssh }])) };
  const looks = await onHosts(inventory, [...settings.keys()], { parallel, color, json }, (remote, host) =>
    look(remote, async (reader, facts) => more?.(host, reader, facts)),
  );
  return new Map(looks.map(({ host, result }) => [host, result]));
}

/** One look at a host. Never throws. */
async function look(
  remote: Remote,
  more: (reader: Reader, facts: FirstFacts) => Promise<void>,
): Promise<Looked | Error> {
  try {
    const { first } = await lookAt(readerOf(remote), [], {
      first: (reader) =>
        Promise.all([lookAtHost(reader), reader.flush("/var/lib"), reader.text("/etc/hostname")]),
      last: (reader, [facts]) => more(reader, facts),
    });
    const [host, flush, hostname] = first;
    const { os, packages } = host;
    const has = (pattern: RegExp) => [...packages.keys()].some((name) => pattern.test(name));
    const isSupported = os.id === "debian" && SUPPORTED.includes(os.versionId);
    return {
      addresses: host.addresses,
      hostname: hostname.is === "value" ? hostname.value.trim() : undefined,
      seen: {
        system: quotable(os.prettyName || `${os.id} ${os.versionId}`.trim() || "system unknown"),
        supported: isSupported || { allow: os.codename === "sid" ? "sid" : `${os.id} ${os.versionId}` },
        virtualization: host.virtualization,
        cpus: host.cpus,
        memoryBytes: host.memoryBytes,
        hardOpenFiles: host.hardOpenFiles,
        flush:
          flush.is === "value" && flush.value.length > 0
            ? { ms: median(flush.value) / 1000 }
            : { because: quotable(reasonOf(flush)) },
        listeners: host.listeners,
        database: has(/^mariadb-server/)
          ? "MariaDB"
          : has(/^(?:default-)?mysql-(?:community-)?server/)
            ? "MySQL"
            : undefined,
        haproxy: packages.has("haproxy"),
        zookeeper: packages.has("zookeeper") || packages.has("zookeeperd"),
      },
    };
  } catch (error) {
    const lost = error instanceof NotRead && error.cause instanceof Error ? error.cause : undefined;
    return lost ?? (error as Error);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

function settingsOf({ ssh }: NamedHost, { hostKeys, knownHosts, file }: HowToLook): SshSettings {
  return {
    host: ssh.host,
    port: ssh.port,
    user: ssh.user,
    identityFiles: ssh.identityFile === undefined ? undefined : [resolvePath(ssh.identityFile, file)],
    knownHostsFiles: knownHosts === undefined ? undefined : [resolvePath(knownHosts, file)],
    hostKeys,
    privilege: "auto",
    password: undefined,
    sudoPassword: undefined,
    passphrase: undefined,
    connectTimeoutMs: undefined,
  };
}

/** The name or address that ssh would connect to. Throws ConfigurationError where it cannot be used, or ssh_config is wrong. */
async function hostNameOf(name: HostName, settings: SshSettings): Promise<string> {
  try {
    return (await effectiveSettings(name, settings)).hostName.value;
  } catch (error) {
    if (error instanceof HostUnreachable)
      throw new ConfigurationError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Its address; undefined where nothing tells it. */
async function resolved(hostName: string): Promise<string | undefined> {
  if (isIP(hostName) !== 0) return hostName;
  try {
    const found = await lookup(hostName, { all: true });
    return (found.find(({ family }) => family === 4) ?? found[0])?.address;
  } catch {
    return undefined;
  }
}
