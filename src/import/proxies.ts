import { directiveIn, type HaproxyConfig, meaningOf } from "../haproxy/config.ts";
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
function effective(defaults: readonly string[], own: readonly string[]): readonly string[] {
  const lines = new Map<string, string>();
  const more: string[] = [];
  for (const line of [...defaults, ...own]) {
    const text = meaningOf(line);
    const [, off] = /^no (.*)/.exec(text) ?? [];
    if (off !== undefined) lines.delete(directiveIn(off));
    else if (/^log (?!global)/.test(text) || !SINGLE.test(text)) more.push(text);
    else lines.set(directiveIn(text), text);
  }
  return [...lines.values(), ...more];
}

/**
 * The services that a configuration has. A front end takes the back end that it names by `default_backend`; back ends that
 * no front end has by default are `alone`.
 */
export function proxiesOf(config: HaproxyConfig): {
  readonly proxies: readonly LocalProxy[];
  readonly alone: readonly string[];
} {
  let defaults: readonly string[] = [];
  const frontends = new Map<string, { lines: readonly string[]; kind: string }>();
  const backends = new Map<string, readonly string[]>();
  for (const { kind, name, lines } of config.sections) {
    const own = lines.map(({ text }) => text);
    if (kind === "defaults") defaults = own;
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
    if (back === undefined) return [];
    used.add(given);
    return [
      {
        name,
        backendName: given,
        binds: lines.filter((each) => each.startsWith("bind ")).map((each) => each.slice(5)),
        frontend: lines.filter((each) => !/^(bind|default_backend) /.test(each)),
        backend: back.filter((each) => !/^(server|default-server) /.test(each)),
        servers: serversIn(back),
      },
    ];
  });
  return { proxies, alone: [...backends.keys()].filter((name) => !used.has(name) && !frontends.has(name)) };
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
