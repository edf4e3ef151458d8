import { directiveIn } from "../haproxy/config.ts";
import { sentHost } from "../haproxy/settings.ts";
import type { LocalProxy } from "./proxies.ts";

/** What HAProxy does where a section does not say it. */
const IMPLIED: Readonly<Record<string, string>> = {
  mode: "mode tcp",
  balance: "balance roundrobin",
  retries: "retries 3",
};
/** Of a server line (https://docs.haproxy.org/2.6/configuration.html#5.2-inter). */
const IMPLIED_CHECK: Readonly<Record<string, string>> = { inter: "2000", rise: "2", fall: "3", weight: "1" };

/** In what one proxy means something else than the other, one sentence each: "timeout client: 1h, then 5000". */
export function differencesOf(was: LocalProxy, is: LocalProxy): readonly string[] {
  return [
    ...sets("bind", was.binds.flatMap(addresses), is.binds.flatMap(addresses)),
    ...(was.backendName === is.backendName
      ? []
      : [`back end: called "${is.backendName}" for "${was.backendName}"`]),
    ...lines(was.frontend, is.frontend, "front end"),
    ...lines(was.backend, is.backend, "back end"),
    ...servers(was, is),
  ];
}

/** "ADDRESS:PORT OPTIONS" of each address of a bind line. */
function addresses(bind: string): readonly string[] {
  const [list = "", ...options] = bind.split(" ");
  return list.split(",").map((at) => {
    const address = plainAddress(at.replace(/^ipv6@\*?:/, ":::").replace(/^ipv4@/, ""))
      .replace(/^localhost:/, "127.0.0.1:")
      .replace(/^\*?:(?=\d+$)/, "0.0.0.0:");
    return [address, ...options].join(" ");
  });
}

/** A check's request as HAProxy sends it, however it is written. */
function asSent(line: string): readonly string[] {
  const [, path] = /^option httpchk(?: (\S+))?$/.exec(line) ?? [];
  if (/^option httpchk(?: \S+)?$/.test(line)) return [`option httpchk OPTIONS ${path ?? "/"}`];
  const [, request, host = ""] =
    /^(option httpchk .* HTTP\/1\.1)\\r\\n[Hh]ost:(?:\\ )?([\w.:-]+)$/.exec(line) ?? [];
  if (request !== undefined) return [request, sentHost(host)];
  return [line.replace(/^(option httpchk \S+ \S+) HTTP\/1\.0$/, "$1")];
}

function lines(was: readonly string[], is: readonly string[], where: string): readonly string[] {
  const side = where === "back end" ? ["mode", "balance", "retries"] : ["mode"];
  const withImplied = (found: readonly string[]) => [
    ...side.filter((key) => !found.some((line) => directiveIn(line) === key)).map((key) => IMPLIED[key]!),
    ...found.flatMap(asSent),
  ];
  return sets(where, withImplied(was), withImplied(is));
}

function sets(where: string, was: readonly string[], is: readonly string[]): readonly string[] {
  const gone = was.filter((line) => !is.includes(line));
  const come = is.filter((line) => !was.includes(line));
  const changed = gone.map((line) => {
    const at = come.findIndex((other) => directiveIn(other) === directiveIn(line) && where !== "bind");
    const now = at < 0 ? undefined : come.splice(at, 1)[0];
    return now === undefined ? `${where}: without "${line}"` : `${where}: "${now}" for "${line}"`;
  });
  return [...changed, ...come.map((line) => `${where}: with "${line}"`)];
}

function servers(was: LocalProxy, is: LocalProxy): readonly string[] {
  const table = ({ servers: listed }: LocalProxy) =>
    new Map(listed.map(({ address, options }) => [plainAddress(address), meaning(options)]));
  const [before, after] = [table(was), table(is)];
  return [
    ...[...before].flatMap(([address, options]) => {
      const now = after.get(address);
      if (now === undefined) return [`server ${address}: gone`];
      return now === options ? [] : [`server ${address}: "${now}" for "${options}"`];
    }),
    ...[...after.keys()].filter((address) => !before.has(address)).map((address) => `server ${address}: new`),
  ];
}

/** IPv6 without the brackets that it may have. */
function plainAddress(address: string): string {
  return address.replace(/^ipv[46]@/, "").replace(/^\[(.*)\](?=:\d+$)/, "$1");
}

/** Options of a server line that have no value (https://docs.haproxy.org/2.6/configuration.html#5.2). */
const FLAGS = new Set(
  (
    "check backup disabled enabled ssl check-ssl send-proxy send-proxy-v2 send-proxy-v2-ssl send-proxy-v2-ssl-cn " +
    "check-send-proxy check-via-socks4 agent-check non-stick stick tfo allow-0rtt force-sslv3 force-tlsv10 " +
    "force-tlsv11 force-tlsv12 force-tlsv13 ssl-reuse tls-tickets sslv3 tlsv10 tlsv11 tlsv12 tlsv13"
  ).split(" "),
);

/** Whether a word of a server line stands alone; each of these has a "no-" that does, too. */
export function isServerFlag(word: string): boolean {
  return FLAGS.has(word.replace(/^no-/, ""));
}

/** Options as a set, the later of two counting, without what is so anyway; numbers of a check only where there is one. */
function meaning(options: readonly string[]): string {
  const found = new Map<string, string>();
  for (let at = 0; at < options.length; at++) {
    const word = options[at]!;
    found.set(word, isServerFlag(word) ? "" : (options[++at] ?? ""));
  }
  const checked = found.has("check");
  for (const [word, value] of found) {
    const number = milliseconds(value);
    found.set(word, number);
    const isCheck = ["inter", "rise", "fall", "fastinter", "downinter", "port"].includes(word);
    if (IMPLIED_CHECK[word] === number || (!checked && isCheck)) found.delete(word);
  }
  return [...found]
    .map((pair) => pair.join(" ").trim())
    .sort()
    .join(" ");
}

function milliseconds(value: string): string {
  const [, number, unit = "ms"] = /^(\d+)(ms|s|m|h|d)?$/.exec(value) ?? [];
  const factor = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[unit]!;
  return number === undefined ? value : String(Number(number) * factor);
}
