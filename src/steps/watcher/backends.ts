/** A server as Synapse knows it. */
export interface Backend {
  readonly name: string | undefined;
  readonly host: string;
  readonly port: number;
}

/** The name Synapse gives a server in HAProxy (`construct_name` in lib/synapse/config_generator/haproxy.rb). */
export function serverName({ name, host, port }: Backend): string {
  return name ? `${name}_${host}:${port}` : `${host}:${port}`;
}

/** What Synapse makes of a child's data; undefined when it would skip the child with an error in its log. */
export function backendOf(data: string): Backend | undefined {
  let decoded: unknown;
  try {
    decoded = JSON.parse(data);
  } catch {
    return undefined;
  }
  return isRecord(decoded) ? backendIn(decoded) : undefined;
}

/** The last backends of every service that keep-last.rb wrote down. */
export function keptBackends(text: string): ReadonlyMap<string, readonly Backend[]> {
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch {
    return new Map();
  }
  if (!isRecord(decoded)) return new Map();
  return new Map(
    Object.entries(decoded).map(([service, list]) => {
      const records = Array.isArray(list) ? list.filter(isRecord) : [];
      return [service, records.flatMap((record) => backendIn(record) ?? [])];
    }),
  );
}

function backendIn({ host, port, name }: Record<string, unknown>): Backend | undefined {
  const number = typeof port === "string" ? Number(port) : port;
  if (typeof host !== "string" || typeof number !== "number" || !Number.isInteger(number)) return undefined;
  return { host, port: number, name: typeof name === "string" && name !== "" ? name : undefined };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
