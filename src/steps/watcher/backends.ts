import { CANARY } from "../../mesh/canary.ts";

/** A server as Synapse knows it. */
export interface Backend {
  readonly name: string | undefined;
  readonly host: string;
  readonly port: number;
  /** What it adds to the service's options in HAProxy, "weight 10" for one; words parted by single blanks. */
  readonly options?: string | undefined;
}

/** Backends that Synapse had last, of the service that had this path. */
export interface KeptBackends {
  readonly path: string;
  readonly backends: readonly Backend[];
}

/** The name Synapse gives a server in HAProxy (`construct_name` in lib/synapse/config_generator/haproxy.rb). */
export function serverName({ name, host, port }: Backend): string {
  return name ? `${name}_${host}:${port}` : `${host}:${port}`;
}

/** What `meshctl probe` registers is served while others are, and never instead of them: see synapse-patches.rb. */
export function withoutCanaries(backends: readonly Backend[]): readonly Backend[] {
  return backends.filter(({ name }) => name !== CANARY);
}

/** What Synapse makes of a child's data; undefined when it skips the child with an error in its log. */
export function backendOf(data: string): Backend | undefined {
  let decoded: unknown;
  try {
    decoded = JSON.parse(data);
  } catch {
    return undefined;
  }
  return isRecord(decoded) ? backendIn(decoded) : undefined;
}

/** The last backends of every service that synapse-patches.rb wrote down. */
export function keptBackends(text: string): ReadonlyMap<string, KeptBackends> {
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch {
    return new Map();
  }
  if (!isRecord(decoded)) return new Map();
  return new Map(
    Object.entries(decoded).flatMap(([service, entry]): [string, KeptBackends][] => {
      if (!isRecord(entry) || typeof entry.path !== "string" || !Array.isArray(entry.backends)) return [];
      const backends = entry.backends.filter(isRecord).flatMap((record) => {
        const backend = backendIn(record);
        if (backend === undefined) return [];
        // As Ruby's "%" wants them.
        return [{ ...backend, options: backend.options?.replaceAll("%%", "%") }];
      });
      return [[service, { path: entry.path, backends: withoutCanaries(backends) }]];
    }),
  );
}

/** The same rules as in synapse-patches.rb, and HAProxy's for the name of a server. */
function backendIn(record: Record<string, unknown>): Backend | undefined {
  const { host, port, name, haproxy_server_options: options } = record;
  if (typeof host !== "string" || !/^[\w.:-]+$/.test(host)) return undefined;
  if (typeof port !== "string" && typeof port !== "number") return undefined;
  if (!/^[1-9]\d{0,4}$/.test(String(port)) || Number(port) > 65_535) return undefined;
  if (name != null && (typeof name !== "string" || !/^[\w.:-]*$/.test(name))) return undefined;
  // U+FFFD is what is left of bytes that are no UTF-8.
  if (typeof options === "string" && /[\p{Cc}\uFFFD]/u.test(options)) return undefined;
  const words = typeof options === "string" ? options.split(" ").filter(Boolean).join(" ") : "";
  return {
    host,
    port: Number(port),
    name: typeof name === "string" && name !== "" ? name : undefined,
    ...(words === "" ? {} : { options: words }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
