import { wordsOf } from "../haproxy-lines.ts";
import { parseIp } from "../ip.ts";
import { saysBackup, uncheckedOptions } from "./check-words.ts";
import type { HaproxySettings, ServiceSettings } from "./settings.ts";

// Constant on purpose: a new version of meshctl must not reload a fleet.
const HEADER =
  "# Written by meshctl from the inventory's mesh. Changes made here by hand are reported and lost.";

/** haproxy.cfg as a whole, with the static servers. Ends with a newline: HAProxy ≥ 2.x refuses a last line without. */
export function renderHaproxyConfig(settings: HaproxySettings, description: string): string {
  const sections = [
    section("global", [`description ${description}`, ...settings.global]),
    section("defaults", settings.defaults),
    ...settings.sections.map(({ title, lines }) => section(title, lines)),
    ...settings.services.flatMap((service) => [
      section(`frontend ${service.name}`, frontendLines(service)),
      section(`backend ${service.name}`, [...service.backend, ...serverLines(service)]),
      ...panicSection(service),
    ]),
  ];
  return `${[HEADER, ...sections].join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `    ${line}`)].join("\n");
}

function frontendLines(service: ServiceSettings): readonly string[] {
  return [bindLine(service), ...service.frontend, `default_backend ${service.name}`];
}

/** As Synapse writes it, too. */
export function bindLine({ bind, port, bindOptions }: ServiceSettings): string {
  return ["bind", `${bind}:${port}`, ...(bindOptions === undefined ? [] : [bindOptions])].join(" ");
}

function serverLines(service: ServiceSettings): readonly string[] {
  return service.servers.map(({ name, host, port, options }) =>
    ["server", name, `${host}:${port}`, service.serverOptions, options ?? ""].filter(Boolean).join(" "),
  );
}

function panicSection({ panic, servers, serverOptions, ...rest }: ServiceSettings): readonly string[] {
  if (panic === undefined) return [];
  const unchecked = { ...rest, servers, serverOptions: uncheckedOptions(serverOptions) };
  return [section(`backend ${panic.name}`, [...panic.backend, ...serverLines(unchecked)])];
}

/** A configuration file as HAProxy understands it: comments, blank lines and indentation are gone. */
export interface HaproxyConfig {
  readonly sections: readonly ConfigSection[];
}

export interface ConfigSection {
  /** "global", "frontend" … */
  readonly kind: string;
  /** "" for a section without a name. */
  readonly name: string;
  /** The `defaults` that it names to begin with: "frontend user-api from NAME". */
  readonly from: string | undefined;
  /** Line number of its title, from 1. */
  readonly line: number;
  readonly lines: readonly ConfigLine[];
}

interface ConfigLine {
  /** Words parted by single blanks. */
  readonly text: string;
  readonly line: number;
}

const SECTION_KINDS = new Set(
  (
    "global defaults frontend backend listen peers userlist mailers resolvers cache program ring http-errors " +
    "log-forward log-profile fcgi-app crt-store acme traces dynamic-update"
  ).split(" "),
);

/** The same text is asked for several times a host, and hosts of a fleet mostly have the same. */
let last: { readonly text: string; readonly config: HaproxyConfig } | undefined;

/** Never fails: a line before the first section belongs to a section of kind "". */
export function parseHaproxyConfig(text: string): HaproxyConfig {
  if (last?.text !== text) last = { text, config: parsed(text) };
  return last.config;
}

function parsed(text: string): HaproxyConfig {
  const sections: (ConfigSection & { lines: ConfigLine[] })[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const words = wordsOf(raw);
    if (words.length === 0) continue;
    const line = index + 1;
    if (SECTION_KINDS.has(words[0]!)) {
      const [kind = "", ...title] = words;
      const isNamed = title.at(-2) === "from";
      const name = (isNamed ? title.slice(0, -2) : title).join(" ");
      sections.push({ kind, name, from: isNamed ? title.at(-1) : undefined, line, lines: [] });
      continue;
    }
    if (sections.length === 0) sections.push({ kind: "", name: "", from: undefined, line, lines: [] });
    sections.at(-1)!.lines.push({ text: words.join(" "), line });
  }
  return { sections };
}

/** Sections that begin with what a `defaults` says. */
const PROXY_KINDS = new Set(["frontend", "backend", "listen"]);

/** What a proxy begins with. */
interface Defaults {
  readonly lines: readonly ConfigLine[];
  /** The first proxy that begins with it; undefined where no proxy follows. */
  readonly proxy: ConfigSection | undefined;
  /** Undefined before any: then HAProxy's own values hold. */
  readonly section: ConfigSection | undefined;
}

/**
 * What proxies begin with, in the file's order: each with the last `defaults` before it, whatever its name, or with the one
 * it names. Every `defaults` begins anew. Without a proxy it is the last one.
 */
function defaultsOf({ sections }: HaproxyConfig): readonly Defaults[] {
  const found: Defaults[] = [];
  let last: ConfigSection | undefined;
  const named = new Map<string, ConfigSection>();
  for (const section of sections) {
    if (section.kind === "defaults") {
      last = section;
      named.set(section.name.split(" ", 1)[0]!, section);
    }
    if (!PROXY_KINDS.has(section.kind)) continue;
    const own = section.from === undefined ? last : named.get(section.from);
    if (found.some((each) => each.section === own)) continue;
    found.push({ lines: linesFrom(own, named), proxy: section, section: own });
  }
  return found.length > 0 ? found : [{ lines: linesFrom(last, named), proxy: undefined, section: last }];
}

/** What a proxy begins with: the lines of the `defaults` that it names, or of those above it. */
export function defaultLines({ sections }: HaproxyConfig, proxy: ConfigSection): readonly ConfigLine[] {
  const above = sections.slice(0, sections.indexOf(proxy)).filter(({ kind }) => kind === "defaults");
  const named = new Map(above.map((section) => [section.name.split(" ", 1)[0]!, section]));
  return linesFrom(proxy.from === undefined ? above.at(-1) : named.get(proxy.from), named);
}

/** With those of what it says it begins with itself. */
function linesFrom(
  section: ConfigSection | undefined,
  named: ReadonlyMap<string, ConfigSection>,
): readonly ConfigLine[] {
  const lines: ConfigLine[] = [];
  const seen = new Set<ConfigSection>();
  for (let at = section; at !== undefined && !seen.has(at); at = named.get(at.from ?? "\n")) {
    seen.add(at);
    lines.unshift(...at.lines);
  }
  return lines;
}

/** The lines of every section of that kind and name, in order; undefined when there is no such section. */
function linesOf(config: HaproxyConfig, kind: string, name: string): readonly ConfigLine[] | undefined {
  const found = config.sections.filter((section) => section.kind === kind && section.name === name);
  return found.length === 0 ? undefined : found.flatMap((section) => section.lines);
}

/**
 * What follows a directive ("maxconn", "timeout connect") in a section, with its line number; the last one counts. Of
 * `defaults` that any proxy does without it is not there; of several values it is the one that the last of them has.
 * Undefined when it is not there, "" when nothing follows.
 */
export function directiveOf(
  config: HaproxyConfig,
  kind: "global" | "defaults" | "frontend" | "backend",
  name: string,
  directive: string,
): { readonly value: string; readonly line: number } | undefined {
  const places =
    kind === "defaults" ? defaultsOf(config).map(({ lines }) => lines) : [linesOf(config, kind, name) ?? []];
  const all = places.map((lines) =>
    lines.findLast(({ text }) => text === directive || text.startsWith(`${directive} `)),
  );
  const other = all.findLast((each) => each?.text !== all[0]?.text);
  const found = all.includes(undefined) ? undefined : (other ?? all[0]);
  return found && { value: found.text.slice(directive.length + 1), line: found.line };
}

export interface ConfiguredServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Everything behind the address, words parted by single blanks. */
  readonly options: string;
  /** Whether it starts in maintenance. */
  readonly disabled: boolean;
  readonly line: number;
}

/** The servers of `backend NAME`, in the file's order. */
export function serversOf(config: HaproxyConfig, backend: string): readonly ConfiguredServer[] {
  return (linesOf(config, "backend", backend) ?? []).filter(isServerLine).map(({ text, line }) => {
    const [, name = "", address = "", ...options] = text.split(" ");
    const colon = address.lastIndexOf(":");
    return {
      name,
      host: colon < 0 ? address : address.slice(0, colon),
      port: colon < 0 ? 0 : Number(address.slice(colon + 1)),
      options: options.join(" "),
      disabled: options.includes("disabled"),
      line,
    };
  });
}

/** Options of `default-server`, of the back end and of the `defaults` that it begins with: a server's own stand behind them. */
export function defaultOptions(config: HaproxyConfig, backend: string): string {
  const section = config.sections.find(({ kind, name }) => kind === "backend" && name === backend);
  if (section === undefined) return "";
  return [...defaultLines(config, section), ...(linesOf(config, "backend", backend) ?? [])]
    .flatMap(({ text }) => /^default-server (.*)/.exec(text)?.[1] ?? [])
    .join(" ");
}

function isServerLine({ text }: ConfigLine): boolean {
  return text.startsWith("server ");
}

/** Names, not addresses, that HAProxy looks up when it starts: also those of servers in maintenance. */
export function serverHostNames(config: HaproxyConfig): readonly string[] {
  const backends = config.sections.filter(({ kind }) => kind === "backend");
  const hosts = [...new Set(backends.map(({ name }) => name))].flatMap((name) =>
    serversOf(config, name).map(({ host }) => host),
  );
  return [...new Set(hosts)].filter((host) => HOST_NAME.test(host) && parseIp(host) === undefined);
}

const HOST_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/;

/** All that it says beside servers and `description`, the same for files that differ in nothing else. */
export function frameOf({ sections }: HaproxyConfig): string {
  return JSON.stringify(
    sections.map(({ kind, name, from, lines }) => [
      kind,
      name,
      from ?? "",
      lines.filter((line) => !isServerLine(line) && !isDescription(kind, line)).map(({ text }) => text),
    ]),
  );
}

/** One thing in which a file does not mean what is wanted. */
export interface ConfigDifference {
  /** For example "defaults timeout connect" or "backend user-api balance". */
  readonly setting: string;
  /** "" when it should not be there at all. */
  readonly want: string;
  /** Undefined when the file does not have it. */
  readonly found: string | undefined;
  readonly line?: number;
  /** Line of the section that it is missing in, where there are several of that name. */
  readonly section?: number;
}

/**
 * In what a file differs from the settings by meaning. The order of lines within a section does not count but that of rules
 * of one kind, nor that of sections beside `defaults`, nor the `description`, nor which servers a discovered back end has; their options do.
 */
export function compareHaproxyConfig(
  found: HaproxyConfig,
  settings: HaproxySettings,
): readonly ConfigDifference[] {
  const differences = [
    ...compareSection(found, "global", "", settings.global),
    ...compareDefaults(found, settings.defaults),
  ];
  const known = new Set(["global "]);
  for (const { title, lines } of settings.sections) {
    const [kind = "", name = ""] = title.split(" ");
    known.add(title);
    differences.push(...compareSection(found, kind, name, lines));
  }
  for (const service of settings.services) {
    known.add(`frontend ${service.name}`).add(`backend ${service.name}`);
    differences.push(...compareSection(found, "frontend", service.name, frontendLines(service)));
    differences.push(...compareSection(found, "backend", service.name, service.backend, isServerLine));
    differences.push(...compareServers(serversOf(found, service.name), service));
    if (service.panic !== undefined) {
      known.add(`backend ${service.panic.name}`);
      differences.push(
        ...compareSection(found, "backend", service.panic.name, service.panic.backend, isServerLine),
        ...comparePanicServers(found, service.name, service.panic.name),
      );
    }
  }
  const seen = new Set<string>();
  for (const { kind, name, line } of found.sections) {
    // Of those that no proxy begins with nothing follows.
    if (kind === "defaults") continue;
    // HAProxy refuses two proxies of one name.
    const isAgain = PROXY_KINDS.has(kind) && seen.has(`${kind} ${name}`);
    seen.add(`${kind} ${name}`);
    if (known.has(`${kind} ${name}`) && !isAgain) continue;
    const title = kind === "" ? "lines before the first section" : `${kind} ${name}`.trimEnd();
    differences.push({ setting: title, want: "", found: title, line });
  }
  return differences;
}

/** In what any proxy begins otherwise than is wanted: each difference once. */
function compareDefaults(config: HaproxyConfig, wanted: readonly string[]): readonly ConfigDifference[] {
  const all = defaultsOf(config).flatMap(({ lines, section, proxy }): readonly ConfigDifference[] => {
    if (section !== undefined)
      return compareLines("defaults", lines, wanted).map((each) => ({ ...each, section: section.line }));
    if (proxy === undefined) return [{ setting: "defaults", want: "defaults", found: undefined }];
    const setting = `defaults before ${proxy.kind} ${proxy.name}`;
    return [{ setting, want: "defaults", found: undefined }];
  });
  const distinct = new Map(all.map((each) => [JSON.stringify([each.setting, each.want, each.line]), each]));
  return [...distinct.values()];
}

function compareSection(
  config: HaproxyConfig,
  kind: string,
  name: string,
  wanted: readonly string[],
  isApart: (line: ConfigLine) => boolean = () => false,
): readonly ConfigDifference[] {
  const title = name === "" ? kind : `${kind} ${name}`;
  const lines = linesOf(config, kind, name);
  if (lines === undefined) return [{ setting: title, want: title, found: undefined }];
  const own = lines.filter((line) => !isApart(line) && !isDescription(kind, line));
  return compareLines(title, own, wanted);
}

function compareLines(
  title: string,
  lines: readonly ConfigLine[],
  wanted: readonly string[],
): readonly ConfigDifference[] {
  const extra = [...lines];
  const missing: string[] = [];
  for (const want of wanted) {
    const at = extra.findIndex(({ text }) => meaningOf(text) === meaningOf(want));
    if (at < 0) missing.push(want);
    else extra.splice(at, 1);
  }
  const differences: ConfigDifference[] = [];
  for (const want of missing) {
    const directive = directiveIn(want);
    const at = extra.findIndex(({ text }) => directiveIn(text) === directive);
    const instead = at < 0 ? undefined : extra.splice(at, 1)[0];
    const setting = `${title} ${directive}`;
    if (instead === undefined) differences.push({ setting, want, found: undefined });
    else differences.push({ setting, want, found: instead.text, line: instead.line });
  }
  for (const { text, line } of extra) {
    differences.push({ setting: `${title} ${directiveIn(text)}`, want: "", found: text, line });
  }
  return [...differences, ...compareOrder(title, lines, wanted, differences)];
}

/** Rules of which HAProxy carries out one after another, or takes the first that fits: those of one kind count in their order. */
const IN_ORDER =
  /^(?:http-request|http-response|http-after-response|http-check|tcp-check|tcp-request|tcp-response|use_backend|use-server|redirect|capture|filter|stick)(?= )/;

/** Rules that stand in another place among their like. Of a kind that lacks one, or has one too many, that is the difference. */
function compareOrder(
  title: string,
  lines: readonly ConfigLine[],
  wanted: readonly string[],
  differences: readonly ConfigDifference[],
): readonly ConfigDifference[] {
  const kindOf = (line: string) => IN_ORDER.exec(line)?.[0];
  const kinds = new Set(wanted.flatMap((line) => kindOf(line) ?? []));
  return [...kinds].flatMap((kind) => {
    if (differences.some(({ setting }) => setting === `${title} ${kind}`)) return [];
    const rules = wanted.filter((line) => kindOf(line) === kind);
    const found = lines.filter(({ text }) => kindOf(text) === kind);
    if (found.length !== rules.length) return [];
    return found.flatMap(({ text, line }, at) =>
      meaningOf(text) === meaningOf(rules[at]!)
        ? []
        : [{ setting: `${title} ${kind}`, want: rules[at]!, found: text, line }],
    );
  });
}

function isDescription(kind: string, { text }: ConfigLine): boolean {
  return kind === "global" && directiveIn(text) === "description";
}

/** The words of a line that say which setting it is: "maxconn", "timeout connect", "option redispatch". */
export function directiveIn(line: string): string {
  const words = line.split(" ");
  const compound = ["option", "timeout", "stats", "no"].includes(words[0]!);
  return words.slice(0, compound ? 2 : 1).join(" ");
}

const UNIT_MS: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

/** Whether two lines say the same: "timeout client 5s" and "timeout client 5000" do. */
export function meansTheSame(one: string, other: string): boolean {
  return meaningOf(one) === meaningOf(other);
}

/** Words of HAProxy 1.5 that 2.1 refuses, as they are said since 1.4. */
const RENAMED: readonly (readonly [was: RegExp, is: string])[] = [
  [/^(?:timeout )?contimeout /, "timeout connect "],
  [/^(?:timeout )?clitimeout /, "timeout client "],
  [/^(?:timeout )?srvtimeout /, "timeout server "],
  [/^(no )?redispatch$/, "$1option redispatch"],
];
/** A word in quotes that means the same without them. */
const NEEDLESS_QUOTES = /(?<=^| )(["'])([\w.:,*/@%+-]+)\1(?= |$)/g;

/** The line with its time-out in milliseconds, in today's words and without quotes that mean nothing. */
export function meaningOf(line: string): string {
  const plain = line.includes('"') || line.includes("'") ? line.replace(NEEDLESS_QUOTES, "$2") : line;
  const renamed = RENAMED.find(([was]) => was.test(plain));
  const today = renamed === undefined ? plain : plain.replace(renamed[0], renamed[1]);
  const timeout = /^((?:stats )?timeout(?: [a-z-]+)?|hard-stop-after) (\d+)(ms|s|m|h|d|)$/.exec(today);
  return timeout === null ? today : `${timeout[1]} ${Number(timeout[2]) * UNIT_MS[timeout[3]!]!}`;
}

function compareServers(listed: readonly ConfiguredServer[], service: ServiceSettings): ConfigDifference[] {
  // Synapse keeps removed servers for a day, disabled; they take no request.
  const found = listed.filter(({ disabled }) => !disabled);
  const setting = (name: string) => `backend ${service.name} server ${name}`;
  const differences: ConfigDifference[] = [];
  for (const server of found) {
    const options = plainOptions(server.options);
    const own = service.servers.find(
      ({ host, port }) => host === server.host && port === server.port,
    )?.options;
    const wantedOptions = [service.serverOptions, own ?? ""].filter(Boolean).join(" ");
    // A znode may add options of its own behind those of the service.
    const asWanted = service.discovered
      ? ownOptions(options, service.serverOptions) !== undefined
      : options === wantedOptions;
    if (asWanted) continue;
    differences.push({
      setting: setting(server.name),
      want: service.discovered ? service.serverOptions : wantedOptions,
      found: server.options,
      line: server.line,
    });
  }
  if (service.discovered) return differences;
  const extra = [...found];
  for (const { name, host, port } of service.servers) {
    const at = extra.findIndex((server) => server.host === host && server.port === port);
    if (at < 0) differences.push({ setting: setting(name), want: `${host}:${port}`, found: undefined });
    else extra.splice(at, 1);
  }
  for (const { name, host, port, line } of extra) {
    differences.push({ setting: setting(name), want: "", found: `${host}:${port}`, line });
  }
  return differences;
}

/** Servers that requests go to while too few are up: all of the service's own, unchecked; none beside a backup. */
function comparePanicServers(
  config: HaproxyConfig,
  service: string,
  panic: string,
): readonly ConfigDifference[] {
  const inUse = (backend: string) => serversOf(config, backend).filter(({ disabled }) => !disabled);
  // A back end that is missing is one difference.
  if (linesOf(config, "backend", panic) === undefined) return [];
  const own = inUse(service);
  const wanted = own.some(({ options }) => saysBackup(options)) ? [] : own;
  const extra = [...inUse(panic)];
  const setting = (name: string) => `backend ${panic} server ${name}`;
  const differences: ConfigDifference[] = [];
  for (const { name, host, port, options } of wanted) {
    const want = [`${host}:${port}`, uncheckedOptions(plainOptions(options))].join(" ").trimEnd();
    const at = extra.findIndex((server) => server.name === name);
    const [server] = at < 0 ? [] : extra.splice(at, 1);
    const found =
      server && [`${server.host}:${server.port}`, plainOptions(server.options)].join(" ").trimEnd();
    if (server === undefined) differences.push({ setting: setting(name), want, found: undefined });
    else if (found !== want) differences.push({ setting: setting(name), want, found, line: server.line });
  }
  for (const { name, host, port, line } of extra)
    differences.push({ setting: setting(name), want: "", found: `${host}:${port}`, line });
  return differences;
}

/** What a server's options say behind those of its service; undefined when they do not begin with them. */
export function ownOptions(options: string, serverOptions: string): string | undefined {
  if (serverOptions === "") return options;
  return `${options} `.startsWith(`${serverOptions} `)
    ? options.slice(serverOptions.length).trim()
    : undefined;
}

/** Options without those that Synapse adds to every server of its own: `cookie NAME`, `id N`. */
export function plainOptions(options: string): string {
  const words = options.split(" ");
  const plain: string[] = [];
  for (let at = 0; at < words.length; at++) {
    if (words[at] === "cookie" || words[at] === "id") at++;
    else if (words[at] !== "") plain.push(words[at]!);
  }
  return plain.join(" ");
}
