import { isIPv6 } from "node:net";
import { isInNetwork } from "../address-range.ts";
import type { Mesh } from "../contract/mesh.ts";
import { CHECK_WORDS } from "./check-words.ts";
import { type ConfigDifference, type HaproxyConfig, ownOptions, plainOptions, serversOf } from "./config.ts";
import { ANY_VALUE, SERVER_OPTION_RULES } from "./server-option-rules.ts";
import type { HaproxySettings } from "./settings.ts";

/** What a backend may say of itself in its znode, and where it may be. Everything else is left out of HAProxy. */
export interface BackendPolicy {
  /** CIDR blocks that backends come from; empty when they may come from anywhere. */
  readonly networks: readonly string[];
  /** By the service's name. */
  readonly services: Readonly<Record<string, ServicePolicy>>;
}

interface ServicePolicy {
  /** What the inventory asks of every server: its lines begin with it. */
  readonly serverOptions: string;
  /** Option → its value as a regular expression; null for one without a value. */
  readonly options: Readonly<Record<string, string | null>>;
  /** Those of them that only this service allows. */
  readonly more: readonly string[];
  /** Servers of the inventory, as HAProxy names them: they may be anywhere. */
  readonly servers: readonly string[];
}

/** A backend as it registered itself. */
export interface Registered {
  readonly name: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly options?: string | undefined;
}

/** Addresses that are no host's, or not the same host's everywhere. An IPv4 address that IPv6 wraps is judged as itself. */
const NOWHERE: readonly (readonly [network: string, says: string])[] = [
  ["0.0.0.0/8", "no host's address"],
  ["127.0.0.0/8", "each host's own loopback"],
  ["169.254.0.0/16", "link-local"],
  ["224.0.0.0/4", "multicast"],
  ["255.255.255.255/32", "broadcast"],
  // The unspecified address, the loopback, and IPv4 addresses in a form that nothing uses any more.
  ["::/96", "no host's address"],
  ["fe80::/10", "link-local"],
  ["ff00::/8", "multicast"],
];

/** Regular expressions, as JavaScript and Ruby read them. */
const NAME = "[A-Za-z0-9_.:-]{0,128}";
const BYTE = "(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])";
const IPV4 = `(?:${BYTE}\\.){3}${BYTE}`;
const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
/** A name that ends in a number is an address in disguise to the C library: "127.1", "0x7f000001", "2130706433". */
const HOST_NAME = `(?=.{1,253}$)(?!(?:.*\\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\\.?$)(?:${LABEL}\\.)*${LABEL}\\.?`;
/** Characters of all options together. With the longest name twice it stays within a line of HAProxy's, 2048. */
const OPTIONS_LENGTH = 512;

/** The policy of a mesh. `settings` are those of the proxies. */
export function backendPolicy({ networks, services }: Mesh, settings: HaproxySettings): BackendPolicy {
  const policies = services.map((service): [string, ServicePolicy] => [
    service.name,
    {
      serverOptions: settings.services.find(({ name }) => name === service.name)?.serverOptions ?? "",
      options: optionsAllowed(service.serverOptionsAllowed),
      more: [...new Set(service.serverOptionsAllowed.map((option) => option.split(" ")[0]!))],
      servers: service.servers.map(({ name, host, port }) => `${name}_${host}:${port}`),
    },
  ]);
  return { networks, services: Object.fromEntries(policies) };
}

/** The rules' options and what the inventory adds: "ssl", "verify none", or "alpn *" for any value. */
function optionsAllowed(more: readonly string[]): ServicePolicy["options"] {
  const options: Record<string, string | null> = {};
  for (const [name, rule] of Object.entries(SERVER_OPTION_RULES)) options[name] = rule?.value ?? null;
  for (const each of more) {
    const [name = "", value] = each.split(" ");
    const known = options[name];
    const allowed = value === undefined ? null : value === "*" ? ANY_VALUE : literally(value);
    options[name] = known && allowed ? `${known}|${allowed}` : allowed;
  }
  return options;
}

function literally(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, "\\$&");
}

/** The policy as the host's programs read it. Constant for an inventory: another content restarts Synapse. */
export function renderBackendPolicy({ networks, services }: BackendPolicy): string {
  const rules = {
    name: NAME,
    ipv4: IPV4,
    host_name: HOST_NAME,
    options_length: OPTIONS_LENGTH,
    nowhere: Object.fromEntries(NOWHERE),
    networks,
    check_words: CHECK_WORDS,
    services: Object.fromEntries(
      Object.entries(services).map(([name, { serverOptions, ...rest }]) => [
        name,
        { server_options: serverOptions, ...rest },
      ]),
    ),
  };
  return `${JSON.stringify(rules, null, 2)}\n`;
}

/** Why the policy leaves a backend out, naming the word; undefined when it does not. As backend-policy.rb has it. */
export function refusalOf(
  policy: BackendPolicy,
  service: string,
  { name, host, port, options }: Registered,
): string | undefined {
  const of = Object.hasOwn(policy.services, service) ? policy.services[service] : undefined;
  if (of === undefined) return "no such service in the inventory";
  if (!fits(NAME, name ?? "")) return `name ${quoted(name ?? "")} is none of HAProxy's, or too long`;
  const isOwn = of.servers.includes(name ? `${name}_${host}:${port}` : `${host}:${port}`);
  return (isOwn ? undefined : addressRefusal(policy, host)) ?? refusalAmong(of.options, options ?? "");
}

/** Why a service takes no backend that says this of itself. `more` is what the inventory allows beside the usual. */
export function optionsRefusal(more: readonly string[], options: string): string | undefined {
  return refusalAmong(optionsAllowed(more), options);
}

/**
 * Servers of a haproxy.cfg that the policy leaves out, as differences: a meshctl of before may have let them in, and
 * HAProxy may be unable to start with them. Those in maintenance count, too.
 */
export function forbiddenServers(config: HaproxyConfig, policy: BackendPolicy): readonly ConfigDifference[] {
  return Object.entries(policy.services).flatMap(([service, { serverOptions }]) =>
    serversOf(config, service).flatMap(({ name, host, port, options, line }): ConfigDifference[] => {
      const words = plainOptions(options);
      // Other options than the inventory's are a difference by themselves.
      const behind = ownOptions(words, serverOptions);
      if (behind === undefined) return [];
      const own = behind.replace(/(^| )disabled( disabled)*$/, "");
      const ownName = name === `${host}:${port}` ? "" : name.slice(0, -`_${host}:${port}`.length);
      const refused = refusalOf(policy, service, { name: ownName, host, port, options: own });
      return refused === undefined
        ? []
        : [
            {
              setting: `backend ${service} server ${name}`,
              want: "",
              found: [`${host}:${port}`, own].join(" ").trimEnd(),
              line,
            },
          ];
    }),
  );
}

/** Why a backend may not be at an address. A name may be anything: the installer looks at what it resolves to. */
function addressRefusal({ networks }: BackendPolicy, host: string): string | undefined {
  const isIp = host.includes(":") ? isIPv6(host) && !host.includes("%") : fits(IPV4, host);
  if (!isIp)
    return fits(HOST_NAME, host) ? undefined : `host ${quoted(host)} is neither an IP address nor a name`;
  const nowhere = NOWHERE.find(([network]) => isInNetwork(host, network));
  if (nowhere !== undefined) return `host ${host} is ${nowhere[1]}`;
  if (networks.length === 0 || networks.some((network) => isInNetwork(host, network))) return undefined;
  return `host ${host} is in none of mesh.networks (${networks.join(", ")})`;
}

function refusalAmong(allowed: ServicePolicy["options"], options: string): string | undefined {
  // U+FFFD is what is left of bytes that are no UTF-8.
  if (/[\p{Cc}\uFFFD]/u.test(options)) return "haproxy_server_options hold a control character";
  if (options.length > OPTIONS_LENGTH)
    return `haproxy_server_options are longer than ${OPTIONS_LENGTH} characters`;
  const words = options.split(" ").filter(Boolean);
  const seen = new Set<string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const rule = Object.hasOwn(allowed, word) ? allowed[word] : undefined;
    if (rule === undefined) return `option ${quoted(word)} is not allowed`;
    if (seen.has(word)) return `option ${quoted(word)} stands there twice`;
    seen.add(word);
    if (rule === null) continue;
    const value = words[++at];
    if (value === undefined) return `option ${quoted(word)} has no value`;
    if (!fits(rule, value)) return `option ${quoted(word)} has the value ${quoted(value)}${rangeOf(word)}`;
  }
  return undefined;
}

function rangeOf(word: string): string {
  const rule = Object.hasOwn(SERVER_OPTION_RULES, word) ? SERVER_OPTION_RULES[word] : undefined;
  return rule === undefined ? "" : `, and ${rule.says} is allowed`;
}

function fits(rule: string, text: string): boolean {
  return new RegExp(`^(?:${rule})$`).test(text);
}

/** A stranger's word, short enough to be shown. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
