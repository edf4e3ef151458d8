import { isIP } from "node:net";
import { sentHost } from "../haproxy/settings.ts";
import { linesOf, serverWords, wordsOf } from "../haproxy-lines.ts";
import { writtenDuration } from "../quantity-text.ts";
import { numberOr } from "./number-or.ts";
import type { LocalProxy } from "./proxies.ts";

/** What stands in a file and not in the inventory, and why. */
export interface LeftOut {
  readonly what: string;
  readonly because: string;
}

/** A service as the inventory writes it. */
export type Entry = Record<string, unknown>;

/** Time-outs that every service has unless it says otherwise, in milliseconds. */
export type Common = Readonly<Partial<Record<"connect" | "client" | "server" | "tcp", number>>>;

/** Lines that meshctl writes for every service anyway. */
const OURS = /^(log global|option (httplog|tcplog|dontlognull|redispatch|clitcpka|srvtcpka)|retry-on .*)$/;
const SIDES = ["connect", "client", "server", "queue", "tunnel"];

/**
 * An entry of `mesh.services` that says what the proxy does, as far as it can. `defaults` are lines that all services get
 * from `haproxy.defaults`.
 */
export function entryOf(
  proxy: LocalProxy,
  {
    defaults,
    common,
    maxconn,
  }: { readonly defaults: readonly string[]; readonly common: Common; readonly maxconn: number },
): { readonly entry: Entry | undefined; readonly leftOut: readonly LeftOut[] } {
  const leftOut: LeftOut[] = [];
  const leave = (what: string, because: string) => leftOut.push({ what, because });
  const bound = bindsOf(proxy, leave);
  if (bound === undefined) return { entry: undefined, leftOut };
  const mode = /^mode (.*)/.exec(proxy.backend.find((line) => line.startsWith("mode ")) ?? "mode tcp")![1]!;
  if (mode !== "http" && mode !== "tcp") {
    leave(`mode ${mode}`, "a service has mode http or tcp");
    return { entry: undefined, leftOut };
  }
  if ([...proxy.frontend, ...proxy.backend].includes("disabled")) {
    leave("disabled", "a service that is not to be used is not listed");
    return { entry: undefined, leftOut };
  }
  const entry: Entry = { ...bound, mode };
  const timeout: Record<string, number | string> = {};
  const lines: Record<"frontend" | "backend", string[]> = { frontend: [], backend: [] };
  const check: Entry = {};
  // Rules of a check count in their order, which the keys of a check do not keep.
  const isScript = proxy.backend.some((line) =>
    /^http-check (?!expect |send hdr Host [\w.:-]+$|disable-on-404)/.test(line),
  );
  for (const side of ["frontend", "backend"] as const) {
    const sent = new Set(
      proxy[side].flatMap((line) => {
        const host = httpCheck(line, proxy[side])?.host;
        return typeof host === "string" ? [sentHost(host)] : [];
      }),
    );
    for (const line of proxy[side]) {
      const [word = "", second = "", third = ""] = line.split(" ");
      if (OURS.test(line) || word === "mode" || defaults.includes(line)) continue;
      if (word === "timeout" && SIDES.includes(second)) {
        const usual = mode === "tcp" && second !== "connect" ? common.tcp : common[second as keyof Common];
        if (Number(third) !== usual)
          timeout[second] = /^\d+$/.test(third) ? writtenDuration(Number(third)) : third;
      } else if (word === "balance") entry.balance = line.slice("balance ".length);
      else if (isScript && /^(option httpchk|http-check) ?/.test(line)) lines[side].push(line);
      else if (word === "retries") {
        if (second !== "3") entry.retries = numberOr(second);
      } else if (word === "maxconn") {
        if (Number(second) !== maxconn) entry.maxconn = numberOr(second);
      } else if (line.startsWith("option httpchk")) {
        const asked = httpCheck(line, proxy[side]);
        if (asked === undefined) lines[side].push(line);
        else Object.assign(check, asked);
      } else if (sent.has(line)) {
        // Taken with its request.
      } else if (/^http-check expect /.test(line) && check.http !== undefined && check.expect === undefined) {
        check.expect = line.slice("http-check expect ".length).replaceAll("\\ ", " ");
      } else if (/^option mysql-check user \S+ post-41$/.test(line)) check.mysql = line.split(" ")[3];
      else if (line === "option redis-check") check.redis = true;
      else if (word === "use_backend") leave(line, "a service has one back end");
      else {
        const read = linesOf(side).safeParse([line]);
        if (read.success) lines[side].push(...read.data);
        else leave(line, `it ${read.error.issues[0]!.message.replace(/^'.*?' is /, "is ")}`);
      }
    }
  }
  if (Object.keys(timeout).length > 0) entry.timeout = timeout;
  const options = serversOf(proxy, entry, check, leave);
  if (lines.frontend.length + lines.backend.length > 0 || options !== undefined) {
    entry.lines = {
      ...(lines.frontend.length > 0 ? { frontend: lines.frontend } : {}),
      ...(lines.backend.length > 0 ? { backend: lines.backend } : {}),
      ...(options === undefined ? {} : { server: options }),
    };
  }
  return { entry, leftOut };
}

function bindsOf({ binds }: LocalProxy, leave: (what: string, because: string) => void): Entry | undefined {
  const found = binds.flatMap((bind) => {
    const [list = "", ...options] = bind.split(" ");
    return list.split(",").map((at) => {
      const [, family = "", host = "", port] = /^(ipv[46]@)?(.*):(\d+)$/.exec(at) ?? [];
      const written = host.replace(/^\[|\]$/g, "");
      const bare = family === "ipv6@" && ["", "*"].includes(written) ? "::" : written;
      const address = bare === "" || bare === "*" ? "0.0.0.0" : bare === "localhost" ? "127.0.0.1" : bare;
      return { at, address, port: Number(port), options: options.join(" ") };
    });
  });
  const good = found.filter(({ address, port }) => isIP(address) !== 0 && port > 0);
  for (const { at } of found.filter((each) => !good.includes(each)))
    leave(`bind ${at}`, "a service binds IP addresses with one port");
  const [first] = good;
  if (first === undefined) return undefined;
  const same = good.filter(({ port, options }) => port === first.port && options === first.options);
  for (const { at } of good.filter((each) => !same.includes(each)))
    leave(`bind ${at}`, "all addresses of a service have one port and the same options");
  const addresses = same.map(({ address }) => address);
  return {
    port: first.port,
    ...(addresses.join() === "127.0.0.1" ? {} : { bind: addresses.length === 1 ? addresses[0] : addresses }),
    ...(first.options === "" ? {} : { bind_options: first.options }),
  };
}

/** Undefined of any other line, and of a request with more than a method, a path and a Host. */
function httpCheck(line: string, beside: readonly string[]): Entry | undefined {
  const [option, directive, method, path, version, ...more] = wordsOf(line);
  const request = path === undefined ? `OPTIONS ${method ?? "/"}` : `${method} ${path}`;
  if (option !== "option" || directive !== "httpchk" || more.length > 0) return undefined;
  if (version === undefined || version === "HTTP/1.0") return { http: request };
  const [, host] =
    version === "HTTP/1.1"
      ? (beside.map((other) => /^http-check send hdr Host ([\w.:-]+)$/.exec(other)).find(Boolean) ?? [])
      : (/^HTTP\/1\.1\\r\\nHost:(?:\\ )?([\w.:-]+)$/i.exec(version) ?? []);
  return host === undefined ? undefined : { http: request, host };
}

/** Servers and check into the entry; options that all servers have are returned. */
function serversOf(
  { servers }: LocalProxy,
  entry: Entry,
  check: Entry,
  leave: (what: string, because: string) => void,
): string | undefined {
  const parsed = servers.map(({ name, address, options }) => ({ name, address, ...split(options) }));
  const [first] = parsed;
  // Of servers that a registry tells it is said in the options that all have; a registration's own stands behind it.
  const common = first?.address === `${REGISTERED}:1` ? first.weight : undefined;
  if (common !== undefined)
    for (const each of parsed) {
      each.rest.push("weight", common);
      if (each.weight === common) each.weight = undefined;
    }
  const listed = parsed.flatMap(({ name, address, weight, isBackup, checks, rest, isDisabled }) => {
    const [, written = "", port] = /^(?:ipv[46]@)?(.*):(\d+)$/.exec(address) ?? [];
    const host = written.replace(/^\[|\]$/g, "");
    if (port === undefined || !/^[\w:][\w.:-]*$/.test(host)) {
      leave(`server ${name} ${address}`, "a server has a host and a port");
      return [];
    }
    if (isDisabled) {
      leave(`server ${name} ${address} disabled`, "a server that is not to be used is not listed");
      return [];
    }
    if (JSON.stringify(checks) !== JSON.stringify(first!.checks))
      leave(`the check of server ${name}`, "all servers of a service are checked alike: as the first one is");
    if (rest.join(" ") !== first!.rest.join(" "))
      leave(
        `server ${name}: ${rest.join(" ") || "no further options"}`,
        "all servers of a service have the same options, but weight and backup",
      );
    const isWeight = weight !== undefined && /^\d+$/.test(weight) && Number(weight) <= 256;
    if (weight !== undefined && !isWeight)
      leave(`server ${name}: weight ${weight}`, "a weight is a number from 0 to 256");
    return [
      {
        ...(/^\w[\w.-]*$/.test(name) ? { name } : {}),
        host,
        port: Number(port),
        ...(isBackup ? { backup: true } : {}),
        ...(isWeight ? { weight: Number(weight) } : {}),
      },
    ];
  });
  // What a registry tells has the placeholder's address.
  const own = listed.filter(({ host }) => host !== REGISTERED);
  if (own.length > 0) entry.servers = own;
  const numbers = first?.checks;
  if (numbers === undefined) entry.check = false;
  else entry.check = { ...check, ...(Object.keys(check).length === 0 ? { http: false } : {}), ...numbers };
  if (first === undefined || first.rest.length === 0) return undefined;
  const words = serverWords.safeParse(first.rest.join(" "));
  if (words.success) return words.data;
  leave(first.rest.join(" "), `of its servers, ${words.error.issues[0]!.message}`);
  return undefined;
}

/** Host of the server line that stands for all that a registry tells. */
export const REGISTERED = "REGISTERED";

function split(options: readonly string[]) {
  const checks: Record<string, number | string> = {};
  const rest: string[] = [];
  let [isChecked, isBackup, isDisabled] = [false, false, false];
  let weight: string | undefined;
  for (let at = 0; at < options.length; at++) {
    const word = options[at]!;
    const value = options[at + 1] ?? "";
    if (word === "check") isChecked = true;
    else if (word === "backup") isBackup = true;
    else if (word === "disabled") isDisabled = true;
    else if (word === "weight") {
      weight = value;
      at++;
    } else if (word === "inter")
      checks.inter = /^\d+$/.test(value) ? writtenDuration(Number(options[++at])) : options[++at]!;
    else if (["rise", "fall", "port"].includes(word)) checks[word] = numberOr(options[++at] ?? "");
    // Said by `defaults` of the service or nowhere: a cookie per server is Synapse's.
    else if (word === "cookie" || word === "id") at++;
    else rest.push(word);
  }
  return { checks: isChecked ? checks : undefined, rest, weight, isBackup, isDisabled };
}
