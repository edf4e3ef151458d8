import {
  type ConfigSection,
  defaultLines,
  directiveIn,
  type HaproxyConfig,
  meaningOf,
} from "../haproxy/config.ts";
import { BACKEND_ONLY, FRONTEND_ONLY } from "../inventory/read-service-watcher.ts";

/** A front end with its back end as HAProxy runs them: `defaults` are applied, `listen` is parted. */
export interface LocalProxy {
  readonly name: string;
  /** The back end's name in the file. */
  readonly backendName: string;
  /** What follows "bind", in order. */
  readonly binds: readonly string[];
  /** Lines but binds and `default_backend`, normalised. */
  readonly frontend: readonly string[];
  /** Lines but servers, normalised. */
  readonly backend: readonly string[];
  /** Options of `default-server` and the server's own. */
  readonly servers: readonly {
    readonly name: string;
    readonly address: string;
    readonly options: readonly string[];
  }[];
}

const ONLY_FRONT =
  /^(bind|default_backend|maxconn|timeout client|option (httplog|tcplog|dontlognull)|no option dontlognull)\b/;
const ONLY_BACK =
  /^(server|balance|cookie|retries|retry-on|timeout (connect|server|queue|tunnel)|option redispatch|no option redispatch)\b/;

export function isFrontLine(line: string): boolean {
  return !ONLY_BACK.test(line) && !BACKEND_ONLY.test(line);
}

export function isBackLine(line: string): boolean {
  return !ONLY_FRONT.test(line) && !FRONTEND_ONLY.test(line);
}

/** Directives of which the last one counts, also over `defaults`. */
const SINGLE =
  /^(mode|balance|retries|maxconn|timeout|option|log|retry-on|fullconn|errorfile|backlog|cookie|hash-type)\b/;

/** Lines of a section with those of its `defaults` below them. */
export function effective(defaults: readonly string[], own: readonly string[]): readonly string[] {
  const lines = new Map<string, string>();
  const more: string[] = [];
  for (const line of [...defaults, ...own]) {
    const text = meaningOf(line);
    const [, off] = /^no (.*)/.exec(text) ?? [];
    if (off !== undefined) lines.delete(settingIn(off));
    else if (/^log (?!global)/.test(text) || !SINGLE.test(text)) more.push(text);
    else lines.set(settingIn(text), text);
  }
  return [...lines.values(), ...more];
}

/** What a line sets: of pages for errors each status is a setting. */
function settingIn(line: string): string {
  return line.startsWith("errorfile ") ? line.split(" ", 2).join(" ") : directiveIn(line);
}

/** Whether a section is one beside the services: it passes nothing on to servers. */
export function isBeside({ kind, lines }: ConfigSection): boolean {
  if (["global", "defaults", "backend"].includes(kind)) return false;
  return !["listen", "frontend"].includes(kind) || !lines.some(({ text }) => PASSES_ON.test(text));
}

const PASSES_ON =
  /^(server|server-template|dispatch|default_backend|use_backend|option (transparent|http_proxy)|transparent) ?/;

/**
 * The services that a configuration has. A front end takes the back end that it names by `default_backend`; back ends that
 * no front end has by default are `alone`.
 */
export function proxiesOf(config: HaproxyConfig): {
  readonly proxies: readonly LocalProxy[];
  readonly alone: readonly string[];
  /** Front ends that pass requests on, and have no back end that is there by default: name → why. */
  readonly headless: ReadonlyMap<string, string>;
} {
  const headless = new Map<string, string>();
  const frontends = new Map<string, { lines: readonly string[]; kind: string }>();
  const backends = new Map<string, readonly string[]>();
  for (const section of config.sections) {
    const { kind, name, lines } = section;
    if (!["frontend", "backend", "listen"].includes(kind) || isBeside(section)) continue;
    const own = lines.map(({ text }) => text);
    const defaults = defaultLines(config, section).map(({ text }) => text);
    const [id = ""] = name.split(" ");
    const address = name.split(" ")[1];
    const all = effective(defaults, address === undefined ? own : [`bind ${address}`, ...own]);
    if (kind === "frontend" || kind === "listen") frontends.set(id, { lines: all.filter(isFrontLine), kind });
    if (kind === "backend" || kind === "listen") backends.set(id, all.filter(isBackLine));
  }
  const used = new Set<string>();
  const proxies = [...frontends].flatMap(([name, { lines, kind }]): LocalProxy[] => {
    const given =
      lines.find((each) => each.startsWith("default_backend "))?.split(" ")[1] ??
      (kind === "listen" ? name : "");
    const back = backends.get(given);
    if (back === undefined) {
      const missing = `its back end ${given} is none of the file's`;
      headless.set(
        name,
        given === ""
          ? "it has no back end by default: a service is one front end with one back end"
          : missing,
      );
      return [];
    }
    used.add(given);
    return [
      {
        name,
        backendName: given,
        binds: lines.filter((each) => each.startsWith("bind ")).map((each) => each.slice(5)),
        frontend: lines.filter((each) => !/^(bind|default_backend) /.test(each)),
        backend: requestInOne(back.filter((each) => !/^(server|default-server) /.test(each))),
        servers: serversIn(back),
      },
    ];
  });
  const alone = [...backends.keys()].filter((name) => !used.has(name) && !frontends.has(name));
  return { proxies, alone, headless };
}

/**
 * The lines with the request of an HTTP check as HAProxy 1.5 says it, where `http-check send` says method and path
 * (https://docs.haproxy.org/2.6/configuration.html#4.2-http-check%20send), and the header behind it. What says more stays.
 */
function requestInOne(lines: readonly string[]): readonly string[] {
  const sends = lines.filter((line) => /^http-check (send|connect|comment|send-state|set-var)\b/.test(line));
  const [send = ""] = sends;
  const [, method, path, version, host] =
    /^http-check send meth (\S+) uri (\S+)(?: ver (HTTP\/1\.[01]))?(?: hdr Host ([\w.:-]+))?$/i.exec(send) ??
    [];
  const isOne = sends.length === 1 && lines.some((line) => /^option httpchk\b/.test(line));
  if (!isOne || method === undefined || (host === undefined) !== (version !== "HTTP/1.1")) return lines;
  const request = `option httpchk ${[method, path, ...(host === undefined ? [] : [version])].join(" ")}`;
  return lines.flatMap((line) => {
    if (/^option httpchk\b/.test(line)) return [request];
    if (line !== send) return [line];
    return host === undefined ? [] : [`http-check send hdr Host ${host}`];
  });
}

function serversIn(lines: readonly string[]): LocalProxy["servers"] {
  const common = lines
    .filter((line) => line.startsWith("default-server "))
    .flatMap((line) => line.split(" ").slice(1));
  return lines
    .filter((line) => line.startsWith("server "))
    .map((line) => {
      const [, name = "", address = "", ...options] = line.split(" ");
      return { name, address, options: [...common, ...options] };
    });
}
