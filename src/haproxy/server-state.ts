import { isSameIp, parseIp } from "../ip.ts";
import { counted } from "../quantity-text.ts";
import { quotable } from "../terminal-text.ts";
import { defaultOptions, type HaproxyConfig, serversOf } from "./config.ts";

/** A server in a line of HAProxy's `show stat`. */
export interface ServerState {
  readonly backend: string;
  readonly name: string;
  readonly status: string;
  readonly weight: number;
  /** "10.0.0.2:9001", "[2001:db8::1]:9001"; undefined before HAProxy 1.7, which cannot be told another either. */
  readonly address: string | undefined;
  /** Connections at the same time; 0 for any number. */
  readonly limit: number;
  readonly check: {
    /** "L4OK", "L7STS", "* L4TOUT" while one is under way; "" when the server is not checked. */
    readonly status: string;
    /** Of a protocol that has any: "400". */
    readonly code: string;
    /** "Connection refused", "HTTP status check returned code <400>"; what a server answered may be in it. */
    readonly words: string;
  };
  /** What `show servers state` tells of it; undefined of a server of which nothing is set but its address. */
  readonly set?: ServerSettings | undefined;
}

/** What a server has beside its address: "" where nothing is set, also of what its HAProxy does not tell. */
interface ServerSettings {
  readonly checkPort: string;
  readonly checkAddress: string;
  readonly agentAddress: string;
  readonly agentPort: string;
  /** Bits of HAProxy's: 4 for an agent that is asked. */
  readonly agentState: string;
  /** Its name, where it has one. */
  readonly name: string;
  readonly tls: string;
}

/** A front end in a line of HAProxy's `show stat`. */
interface FrontEndState {
  readonly name: string;
  /** "OPEN", "FULL", "PAUSED", "STOP". */
  readonly status: string;
  /** Connections at the same time. */
  readonly limit: number;
}

/** What `show stat` tells. */
export interface Table {
  readonly servers: readonly ServerState[];
  readonly frontEnds: readonly FrontEndState[];
}

/** `show info` of the worker that told a table. */
export function infoBeside(rows: readonly (readonly string[])[]): ReadonlyMap<string, string> {
  return new Map(
    rows.flatMap(([type, key = "", value = ""]) => (type === "info" ? [[key, value] as const] : [])),
  );
}

/** Fields of a row, as the reader has them. */
export const TABLE_COLUMNS = 10;

/**
 * Of rows of type, front or back end, server, status, weight, address, limit, and the check's status, code and words. With
 * them may come rows of type "set", of what else servers have, and "info" (`infoBeside`).
 */
export function tableOf(rows: readonly (readonly string[])[]): Table {
  const servers: ServerState[] = [];
  const frontEnds: FrontEndState[] = [];
  const settings = settingsIn(rows);
  for (const row of rows) {
    const [type, proxy = "", name = "", status = "", weight, address, limit] = row;
    const [checkStatus = "", code = "", words = ""] = row.slice(7);
    if (type === "0") frontEnds.push({ name: proxy, status, limit: Number(limit) });
    else if (type === "2")
      servers.push({
        backend: proxy,
        name,
        status,
        weight: Number(weight),
        address: address || undefined,
        limit: Number(limit),
        check: { status: checkStatus, code, words: quotable(words) },
        set: settings.get(`${proxy} ${name}`),
      });
  }
  return { servers, frontEnds };
}

function settingsIn(rows: readonly (readonly string[])[]): ReadonlyMap<string, ServerSettings> {
  return new Map(
    rows.flatMap(([type, proxy, server, checkPort = "", checkAddress = "", ...rest]) => {
      const [agentAddress = "", agentPort = "", agentState = "", name = "", tls = ""] = rest;
      const set = { checkPort, checkAddress, agentAddress, agentPort, agentState, name, tls };
      return type === "set" ? [[`${proxy} ${server}`, set] as const] : [];
    }),
  );
}

/** Why a check fails, as HAProxy has it: "L7STS/400: HTTP status check returned code <400>"; undefined without a check. */
export function checkWords({ check: { status, code, words } }: ServerState): string | undefined {
  if (status === "") return undefined;
  const short = status.replace(/^\* /, "") + (code === "" ? "" : `/${code}`);
  return words === "" ? short : `${short}: ${words.length > 80 ? `${words.slice(0, 80)}…` : words}`;
}

/** A server, or what else the worker treats otherwise than the file says, because somebody told it so over its socket. */
export interface Altered {
  readonly name: string;
  readonly how: string;
  /** What takes it back, said to the socket; undefined where that would hold more than names and numbers. */
  readonly undo: string | undefined;
  /** The address of a server that the file does not have. */
  readonly added?: string;
}

/**
 * Servers of the worker that somebody added, took away, sent elsewhere, drained, gave another weight or limit, or does not check any more. One that registered
 * itself with weight 0 shows "DRAIN" too and is as it wants to be. A server that the file has by a name has the
 * address that HAProxy resolved when it read the file: that proves nothing. `started` is what the worker was started with
 * (`startedWith`): any other configuration proves nothing by hand. Where a watcher keeps the servers (`isWatched`), those in
 * maintenance have left, and who is too many or too few is told beside what is registered.
 */
export function serversAltered(
  servers: readonly ServerState[],
  started: HaproxyConfig | undefined,
  service: string,
  isWatched: boolean,
): readonly Altered[] {
  if (started === undefined) return [];
  const usual = defaultOptions(started, service).split(" ");
  const configured = new Map(
    serversOf(started, service).map((server) => {
      const own = server.options.split(" ");
      const options = [...usual.filter((word) => !own.includes(`no-${word}`)), ...own].join(" ").trim();
      return [server.name, { ...server, options }];
    }),
  );
  const own = servers.filter(({ backend }) => backend === service);
  const taken = [...configured.keys()].filter((name) => own.every((server) => server.name !== name));
  const others = isWatched
    ? []
    : [
        ...own.flatMap((server) => (configured.has(server.name) ? [] : added(server))),
        ...taken.map((name): Altered => ({ name, how: "was taken away", undo: undefined })),
      ];
  return [
    ...others,
    ...own.flatMap(({ name, status, weight, address, limit, check, set }): Altered[] => {
      const server = configured.get(name);
      if (server === undefined) return [];
      const { host, port } = server;
      const at = `${service}/${name}`;
      const order = (...words: readonly (string | number)[]) => orderOf("set server", at, ...words);
      if (status.startsWith("MAINT")) {
        // "MAINT (resolution)" is HAProxy's own doing.
        const isByHand = !isWatched && !server.disabled && !status.includes("resolution");
        return isByHand ? [{ name, how: "is in maintenance", undo: order("state", "ready") }] : [];
      }
      if (address !== undefined && parseIp(host) !== undefined && !isAddress(address, host, port)) {
        return [{ name, how: `was sent to ${address}`, undo: order("addr", host, "port", port) }];
      }
      const wants = weightIn(server.options);
      if (weight !== wants) return [{ name, how: `has weight ${weight}`, undo: order("weight", wants) }];
      if (status.startsWith("DRAIN") && wants !== 0)
        return [{ name, how: "is drained", undo: order("state", "ready") }];
      // A server that is down stays so when its checks are switched off.
      if (check.status === "" && server.options.split(" ").includes("check"))
        return [{ name, how: "is not checked", undo: orderOf("enable health", at) }];
      const otherwise = set && asksElsewhere(set, server, at);
      if (otherwise !== undefined) return [{ name, ...otherwise }];
      const most = limitIn(server.options);
      if (limit === most) return [];
      const how = limit === 0 ? "takes any number of connections" : `takes ${connections(limit)} at most`;
      return [{ name, how, undo: orderOf("set maxconn server", at, most) }];
    }),
  ];
}

/** Whoever is asked instead of a server whether it is up, or instead of its agent, or a name that it did not have. */
function asksElsewhere(
  set: ServerSettings,
  { host, options }: { readonly host: string; readonly options: string },
  at: string,
): Pick<Altered, "how" | "undo"> | undefined {
  const order = (...words: readonly string[]) => orderOf("set server", at, ...words);
  const port = wordIn(options, "port") ?? "0";
  // HAProxy tells it since 2.4.
  if (set.checkPort !== "" && Number(set.checkPort) !== Number(port))
    return { how: `is checked at port ${quotable(set.checkPort)}`, undo: order("check-port", port) };
  const address = wordIn(options, "addr");
  if (set.checkAddress !== "" && isElsewhere(set.checkAddress, address))
    return {
      how: `is checked at ${quotable(set.checkAddress)}`,
      undo: address === undefined ? undefined : order("check-addr", address),
    };
  const hasAgent = options.split(" ").includes("agent-check");
  if (hasAgent && set.agentState !== "" && (Number(set.agentState) & 4) === 0)
    return { how: "has an agent that is not asked", undo: orderOf("enable agent", at) };
  // `addr` is the agent's, too, where it has none of its own.
  const agent = wordIn(options, "agent-addr") ?? address ?? host;
  if (hasAgent && set.agentAddress !== "" && isElsewhere(set.agentAddress, agent))
    return { how: `has its agent at ${quotable(set.agentAddress)}`, undo: undefined };
  const agentPort = wordIn(options, "agent-port");
  if (hasAgent && agentPort !== undefined && set.agentPort !== "" && set.agentPort !== agentPort)
    return { how: `has its agent at port ${quotable(set.agentPort)}`, undo: order("agent-port", agentPort) };
  const isNamed = parseIp(host) === undefined;
  if (set.name !== "" && (!isNamed || set.name.toLowerCase() !== host.toLowerCase()))
    return { how: `goes by the name ${quotable(set.name)}`, undo: isNamed ? order("fqdn", host) : undefined };
  if (set.tls === "1" && !/(?:^| )ssl(?: |$)/.test(options))
    return { how: "is spoken to by TLS", undo: order("ssl off") };
  return undefined;
}

/** What an option that may be given by a name is set to proves nothing. */
function isElsewhere(found: string, given: string | undefined): boolean {
  return given === undefined || (parseIp(given) !== undefined && !isSameIp(found, given));
}

/** A server that the file does not have. One in maintenance, as it is when it is added, gets no requests. */
function added({
  backend,
  name,
  status,
  address = "an address that it does not tell",
}: ServerState): readonly Altered[] {
  if (status.startsWith("MAINT")) return [];
  const at = `${backend}/${name}`;
  // No order closes what holds more than names: a server leaves in maintenance only.
  const orders = [orderOf("set server", at, "state maint"), orderOf("del server", at)];
  const undo = orders.includes(undefined) ? undefined : orders.join("; ");
  return [{ name, how: `was added at ${address}`, undo, added: address }];
}

/** What a person should do about them; undefined when there are none. */
export function alteredWords(altered: readonly Altered[], socket: string): string | undefined {
  if (altered.length === 0) return undefined;
  const names = altered.map(({ name, how }) => `${name} ${how}`).join(", ");
  const orders = altered.flatMap(({ undo }) => undo ?? []);
  const advice =
    orders.length < altered.length
      ? "A reload of HAProxy takes it back"
      : `Tell ${socket} to take it back: ${orders.join("; ")}`;
  return `changed by hand: ${names}. ${advice}`;
}

/** "1 connection". */
export function connections(number: number): string {
  return counted(number, "connection");
}

/** HAProxy's socket takes several orders in a line, and the names of servers are what backends say of themselves. */
export function orderOf(...words: readonly (string | number)[]): string | undefined {
  const order = words.join(" ");
  return /^[\w./: -]+$/.test(order) ? order : undefined;
}

/** Connections that a server takes at the same time: `minconn` raises `maxconn`. 0 for any number. */
function limitIn(options: string): number {
  return Math.max(numberIn(options, "maxconn") ?? 0, numberIn(options, "minconn") ?? 0);
}

/** As HAProxy reads it: digits, whatever follows them ("100%"). */
function weightIn(options: string): number {
  return numberIn(options, "weight") ?? 1;
}

/** The word behind an option, the last time that it is given. */
function wordIn(options: string, option: string): string | undefined {
  const words = options.split(" ");
  const at = words.lastIndexOf(option);
  return at < 0 ? undefined : words[at + 1];
}

function numberIn(options: string, option: string): number | undefined {
  const found = /^\d+/.exec(wordIn(options, option) ?? "");
  return found === null ? undefined : Number(found[0]);
}

/** Whether "10.0.0.2:9001" or "[2001:db8::1]:9001" is this host and port, however the host is written. */
function isAddress(shown: string, host: string, port: number): boolean {
  const [, ip = "", at] = /^\[?(.*?)\]?:(\d+)$/.exec(shown) ?? [];
  return isSameIp(ip, host) && Number(at) === port;
}
